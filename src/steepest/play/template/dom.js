// Small pieces of HTML. Text goes in as text, never as markup.

const root = document.documentElement;
const find = id => document.getElementById(id);
const colourNow = name => getComputedStyle(root).getPropertyValue(name).trim();
const calm = matchMedia("(prefers-reduced-motion: reduce)");

/** make("button.plain", {type: "button", onclick}, "text", child, ...) */
function make(kind, attributes = {}, ...children) {
  const [tag, ...classes] = kind.split(".");
  const made = document.createElement(tag);
  if (classes.length) made.className = classes.join(" ");
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.flat(Infinity).filter(child => child !== null && child !== undefined && child !== false));
  return made;
}

const SVG = "http://www.w3.org/2000/svg";
function draw(tag, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children.flat());
  return made;
}

const ICONS = {
  copy: "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3", drop: "M4 4l8 8M12 4l-8 8", up: "M8 13V3M4 7l4-4 4 4", down: "M8 3v10M4 9l4 4 4-4",
  play: "M5 3l8 5-8 5z", pause: "M4.5 3v10M11.5 3v10", rewind: "M3.5 3v10M13 3L6.5 8l6.5 5z", back: "M10 3L5 8l5 5", on: "M6 3l5 5-5 5",
};

/** A small picture, drawn in the colour of the text around it. */
function icon(name) {
  const picture = draw("svg", {viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true"}, draw("path", {d: ICONS[name]}));
  picture.setAttribute("class", name === "play" || name === "pause" ? "icon-solid" : "icon-line");
  return picture;
}

/** Draw something anew and give the focus back to what had it. */
function keepingFocus(redraw) {
  const key = document.activeElement && document.activeElement.dataset.focus;
  redraw();
  const again = key && document.querySelector(`[data-focus="${CSS.escape(key)}"]`);
  if (again) again.focus({preventScroll: true});
}

/** A slider with its number beside it; both can be used. `changed(value)` is told. */
function slider(spec, label, focus, value, changed) {
  const range = make("input", {type: "range", min: spec.first || 0, max: positions(spec), step: 1, "aria-label": label, "data-focus": focus});
  const number = make("input.number", {type: "text", inputmode: "decimal", "aria-label": `${label}, as a number`, "data-focus": `${focus}#`, autocomplete: "off", spellcheck: "false"});
  const show = shown => {
    range.value = positionOf(spec, shown);
    range.setAttribute("aria-valuetext", said(shown, 6) + (spec.unit || ""));
    if (document.activeElement !== number) number.value = said(shown, 6).replace("−", "-");
    range.style.setProperty("--part", `${100 * range.value / positions(spec)}%`);
  };
  range.addEventListener("input", () => { const next = valueAt(spec, Number(range.value)); changed(next); show(next); });
  number.addEventListener("change", () => {
    const next = allowed(spec, Number(number.value.replace("−", "-").replace(",", ".")));
    if (next !== null) changed(next);
    number.blur();
    show(next === null ? value() : next);
  });
  show(value());
  return {range, number, show: () => show(value())};
}

// -- how a runner looks: a colour, a dash and a marker, so that colour is never the only sign -----------------

const DASHES = [[], [7, 3], [2, 3], [7, 3, 2, 3]];
const CORNERS = [24, 4, 4, 3, 3, 5, 6, 8];
const TURNS = [0, Math.PI / 4, 0, 0, Math.PI, 0, 0, 0];

const lookColour = look => colourNow(`--o${(look + 1) % MOST}`);
const dashOf = look => DASHES[look % 4];

/** The outline of a runner's marker, radius r. */
function markerPoints(look, r) {
  const n = CORNERS[look], star = look === 7;
  return Array.from({length: n}, (_, i) => {
    const angle = TURNS[look] + 2 * Math.PI * i / n, radius = star && i % 2 ? r * 0.5 : n < 5 ? r * 1.15 : r;
    return [radius * Math.sin(angle), -radius * Math.cos(angle)];
  });
}

function swatch(look) {
  const points = markerPoints(look, 5).map(p => p.map(v => v.toFixed(1)).join(",")).join(" ");
  const colour = `var(--o${(look + 1) % MOST})`;
  const picture = draw("svg", {viewBox: "-16 -7 32 14", "aria-hidden": "true"},
    draw("line", {x1: -16, x2: 16, y1: 0, y2: 0, stroke: colour, "stroke-width": 2, "stroke-dasharray": dashOf(look).join(" ") || "none"}),
    draw("polygon", {points, fill: colour}));
  picture.setAttribute("class", "swatch");
  return picture;
}
