"use strict";
// Draws the charts in the colours of the theme, keeps the choices in step, and makes the legend work for all charts at once.
const embedded = JSON.parse(document.getElementById("data").textContent);
const names = Object.keys(embedded.charts);
const root = document.documentElement;
const chosen = new Set();      // entrants brought forward, by number
const choice = {};             // selector → key
let hiding = false, printing = false;
const css = name => getComputedStyle(root).getPropertyValue(name).trim();
const phone = matchMedia("(max-width: 640px)");
const system = matchMedia("(prefers-color-scheme: dark)");

async function unpacked(id) {
  const bytes = Uint8Array.from(atob(document.getElementById(id).textContent), c => c.charCodeAt(0));
  return await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
}

// -- looks ------------------------------------------------------------------------------------------

const colour = o => css("--o" + embedded.colours[o]);
const clear = (hex, alpha) => hex + Math.round(255 * alpha).toString(16).padStart(2, "0");

function trace(given) {
  const {o, part} = given.meta;
  if (part === "heat" || part === "noise") {
    const scale = part === "noise" ? [[0, css("--noise")], [1, css("--noise")]]
      : [[0, css("--slower")], [0.5, css("--equal")], [1, css("--faster")]];
    const text = phone.matches ? given.text.map(row => row.map(t => t === "never" ? "✗" : t)) : given.text;
    return {...given, text, colorscale: scale, textfont: {size: phone.matches ? 10 : 13}};
  }
  const picking = chosen.size > 0, on = !picking || chosen.has(o), mine = colour(o);
  const visible = on || !hiding;
  if (part === "band") return {...given, visible, fillcolor: clear(mine, !on ? 0 : picking ? 0.24 : Math.min(0.12, 0.4 / embedded.colours.length))};
  const made = {...given, visible, opacity: (given.opacity || 1) * (on ? 1 : 0.13)};
  if (given.line) made.line = {...given.line, color: mine, width: given.line.width * (picking && on ? 1.4 : 1)};
  if (given.marker) {
    const outline = part === "hollow" || /-open$/.test(given.marker.symbol) || given.marker.symbol.startsWith("line") ? mine : css("--paper");
    made.marker = {...given.marker, color: mine, line: {width: 1, ...given.marker.line, color: outline}};
  }
  if (given.error_x) made.error_x = {...given.error_x, color: mine};
  if (given.text) made.textfont = {color: css("--bad"), size: 17};
  if (!on) Object.assign(made, {hoverinfo: "skip"});
  return made;
}

function layout(given, height) {
  const small = phone.matches, made = {...given};
  for (const key of Object.keys(given)) {
    if (!/^[xy]axis/.test(key)) continue;
    const a = given[key], vertical = key[0] === "y";
    const labels = small && vertical && a.ticktext ? a.ticktext.map(t => t.length > 13 && !t.includes("&") ? t.slice(0, 12) + "…" : t) : a.ticktext;
    made[key] = {
      gridcolor: css("--grid"), zeroline: false, linecolor: css("--line"), automargin: true, ticks: "", ...a,
      ...(labels ? {ticktext: labels} : {}),
      title: {...a.title, standoff: 8, font: {size: small ? 12 : 13, color: css("--soft")}},
      tickfont: {size: small ? 11 : 12.5, color: vertical && a.ticktext ? css("--ink") : css("--soft")},
      ...(a.side === "top" ? {...(small ? {tickangle: -90} : {autotickangles: [0, -35, -90]}), ticklabelstandoff: 4} : {}),
    };
  }
  return {
    ...made,
    height, width: printing ? 680 : undefined, // paper does not tell its width
    shapes: (given.shapes || []).map(s => ({...s, line: {...s.line, color: css("--ink")}})),
    annotations: (given.annotations || []).map(a => {
      const o = +a.name.slice(1), on = chosen.has(o);
      return {...a, visible: chosen.size ? on || !(hiding || small) : !small, opacity: !chosen.size || on ? 1 : 0.25, arrowcolor: css("--line"),
        font: {size: small ? 11 : 13, color: css("--ink")}};
    }),
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: {family: getComputedStyle(document.body).fontFamily, color: css("--ink")},
    hoverlabel: {bgcolor: css("--raised"), bordercolor: css("--soft"), font: {color: css("--ink"), size: 12.5}, align: "left", namelength: 0},
    modebar: {bgcolor: "rgba(0,0,0,0)", color: css("--soft"), activecolor: css("--ink")},
    margin: {l: 8, r: 14, t: 26, b: 8}, showlegend: false, hovermode: "closest",
    dragmode: matchMedia("(pointer: fine)").matches ? "zoom" : false, // a finger scrolls the page
  };
}

// -- drawing ----------------------------------------------------------------------------------------

const keyOf = chart => chart.selectors.map(s => choice[s]).join("|");
// A chart may have no view of a task that another chart has: it then goes on showing its own.
function viewOf(chart) {
  chart.shown = chart.views[keyOf(chart)] ? keyOf(chart) : chart.shown || Object.keys(chart.views)[0];
  return chart.views[chart.shown];
}

async function draw(name) {
  const chart = embedded.charts[name], view = viewOf(chart), place = document.getElementById("chart-" + name);
  const height = printing ? Math.min(chart.height, 350) : phone.matches ? Math.min(chart.height, Math.max(360, chart.height * 0.86)) : chart.height;
  place.style.height = height + "px";
  const traces = view.figure.data.map(trace);
  // Who is brought forward lies on top.
  const rank = t => t.meta.o === undefined ? 0 : (t.meta.part === "band" ? 0 : 2) + (chosen.has(t.meta.o) ? 1 : 0);
  if (chosen.size) traces.sort((a, b) => rank(a) - rank(b));
  const options = {responsive: true, displaylogo: false, displayModeBar: phone.matches || view.figure.layout.xaxis.side === "top" ? false : "hover", scrollZoom: false,
    modeBarButtons: [["toImage", "resetScale2d"]], toImageButtonOptions: {filename: "race-" + name, scale: 2}};
  await Plotly.react(place, traces, layout(view.figure.layout, height), options);
}
const drawAll = async which => { for (const name of which) await draw(name); };

function tell(name) {
  const view = viewOf(embedded.charts[name]), figure = document.querySelector(`[data-chart="${name}"]`);
  const title = figure.querySelector(".finding");
  if (title.textContent !== view.title) title.textContent = view.title;
  const cell = (kind, text, scope) => Object.assign(document.createElement(kind), {textContent: text}, scope ? {scope} : {});
  const line = cells => { const row = document.createElement("tr"); row.append(...cells); return row; };
  figure.querySelector("thead").replaceChildren(line(view.head.map(h => cell("th", h, "col"))));
  figure.querySelector("tbody").replaceChildren(...view.rows.map(r => line(r.map((c, i) => i ? cell("td", c) : cell("th", c, "row")))));
}

// -- choices ----------------------------------------------------------------------------------------

const selects = [...document.querySelectorAll("[data-selector]")];
function choose(selector, key) {
  choice[selector] = key;
  for (const one of selects) {
    if (one.dataset.selector === selector && [...one.options].some(o => o.value === key)) one.value = key;
  }
  for (const panel of document.querySelectorAll(`[data-panel="${selector}"]`)) panel.hidden = panel.dataset.key !== key;
}
for (const name of names) { // the first view of each selector, whether or not there is a choice
  const chart = embedded.charts[name], first = Object.keys(chart.views)[0].split("|");
  chart.selectors.forEach((s, i) => { if (!(s in choice)) choose(s, first[i]); });
}
if (!("task" in choice)) choose("task", "0");
for (const one of selects) one.addEventListener("change", async () => {
  const before = one.getBoundingClientRect().top;
  choose(one.dataset.selector, one.value);
  const follows = names.filter(n => embedded.charts[n].selectors.includes(one.dataset.selector));
  follows.forEach(tell);
  scrollBy({top: one.getBoundingClientRect().top - before, behavior: "instant"}); // what changed above does not move the reader
  await drawAll(follows);
});

// -- legend -----------------------------------------------------------------------------------------

const chips = [...document.querySelectorAll("[data-entrant]")], hide = document.getElementById("hide"), all = document.getElementById("all");
async function bring() {
  for (const chip of chips) chip.setAttribute("aria-pressed", chosen.has(+chip.dataset.entrant));
  document.querySelector(".legend").classList.toggle("picking", chosen.size > 0);
  hide.disabled = all.disabled = !chosen.size;
  hide.setAttribute("aria-pressed", hiding && chosen.size > 0);
  await drawAll(names);
}
for (const chip of chips) chip.addEventListener("click", () => {
  const o = +chip.dataset.entrant;
  if (!chosen.delete(o)) chosen.add(o);
  bring();
});
hide.addEventListener("click", () => { hiding = !hiding; bring(); });
all.addEventListener("click", () => { chosen.clear(); bring(); });

// -- theme ------------------------------------------------------------------------------------------

const button = document.getElementById("theme");
const isDark = () => root.dataset.theme ? root.dataset.theme === "dark" : system.matches;
const showTheme = () => button.setAttribute("aria-pressed", isDark());
// A page opened from a folder may not be allowed to remember anything.
const memory = {get: () => { try { return localStorage.getItem("steepest-theme"); } catch { return null; } },
  set: value => { try { localStorage.setItem("steepest-theme", value); } catch { /* then it forgets */ } }};
if (["dark", "light"].includes(memory.get())) root.dataset.theme = memory.get();
button.addEventListener("click", () => {
  root.dataset.theme = isDark() ? "light" : "dark";
  memory.set(root.dataset.theme);
  showTheme();
  drawAll(names);
});
showTheme();

// -- the rest ---------------------------------------------------------------------------------------

document.getElementById("download").addEventListener("click", async () => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([await unpacked("runs")], {type: "text/csv"}));
  link.download = "race.csv";
  link.click();
  URL.revokeObjectURL(link.href);
});

const contents = document.querySelector(".contents");
const measure = () => root.style.setProperty("--below-contents", 52 + contents.offsetHeight + "px");
const links = new Map([...contents.querySelectorAll("a")].map(a => [a.hash.slice(1), a]));
const watcher = new IntersectionObserver(seen => {
  for (const one of seen) if (one.isIntersecting) links.forEach((a, id) => id === one.target.id ? a.setAttribute("aria-current", "true") : a.removeAttribute("aria-current"));
}, {rootMargin: "-30% 0px -65% 0px"});
document.querySelectorAll("section[id]").forEach(s => watcher.observe(s));
measure();
addEventListener("resize", measure);

(async () => {
  try {
    const source = document.createElement("script");
    source.textContent = await unpacked("plotly");
    document.head.append(source);
    await drawAll(names);
    for (const query of [system, phone]) query.addEventListener("change", () => { showTheme(); drawAll(names); });
    // Paper is white.
    let before;
    const print = (on, theme) => {
      printing = on;
      if (theme) root.dataset.theme = theme; else delete root.dataset.theme;
      names.forEach(draw); // nothing is waited for: the picture of the page is taken when this returns
    };
    addEventListener("beforeprint", () => { before = root.dataset.theme; print(true, "light"); });
    addEventListener("afterprint", () => print(false, before));
    root.dataset.drawn = "true";
  } catch (error) {
    const trouble = document.getElementById("trouble");
    trouble.hidden = false;
    trouble.textContent = "The charts cannot be drawn (" + error.message + "): they need a browser of 2023 or newer. The tables have the same figures.";
    console.error(error);
  }
})();
