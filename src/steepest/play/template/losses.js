// The loss over the steps. Logarithmic where the losses span more than a factor of fifty, unless somebody chooses otherwise.

const lossChart = {scale: "auto", x: null};
const ROOM = {left: 52, right: 14, top: 10, bottom: 30, height: 250};

function drawLosses() {
  const box = find("losses"), width = box.clientWidth;
  if (!width) return;
  const lowest = surface.lowest, ends = results.map(r => Number.isFinite(r.loss[r.last]) ? r.last : r.last - 1);
  const above = results.map((r, i) => r.loss.slice(0, ends[i] + 1).map(v => v - lowest));
  const start = Math.max(above[0][0], 1e-12);
  const cap = 30 * start; // a run that goes up and up must not flatten the others
  const shown = above.flat().filter(v => v > 0 && v <= cap);
  const floor = Math.max(1e-10 * start, Math.min(...shown, start));
  const log = lossChart.scale === "log" || (lossChart.scale === "auto" && start / floor > 50);
  find("scale").textContent = log ? "Linear scale" : "Log scale";
  const top = Math.max(...shown, start) * (log ? 1.6 : 1.05), bottom = log ? floor / 1.6 : Math.min(0, ...shown);
  const height = ROOM.height, inner = {w: width - ROOM.left - ROOM.right, h: height - ROOM.top - ROOM.bottom};
  const x = t => ROOM.left + inner.w * t / setting.steps;
  const part = v => log ? Math.log(Math.max(v, bottom / 100) / bottom) / Math.log(top / bottom) : (v - bottom) / (top - bottom);
  const y = v => ROOM.top + inner.h * (1 - Math.min(1.2, part(v)));
  lossChart.x = x;

  const chart = draw("svg", {viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": lossesInWords()});
  for (const v of log ? decades(bottom, top) : evenly(bottom, top)) {
    chart.append(draw("line", {x1: ROOM.left, x2: width - ROOM.right, y1: y(v), y2: y(v), class: "grid"}),
      draw("text", {x: ROOM.left - 8, y: y(v) + 4, "text-anchor": "end", class: "tick"}, said(v + (log ? 0 : lowest), 2)));
  }
  for (const t of evenly(0, setting.steps)) chart.append(draw("text", {x: x(t), y: height - 10, "text-anchor": t === 0 ? "start" : "middle", class: "tick"}, String(t)));
  const lines = draw("g", {"clip-path": "url(#inside)"}); // what leaves the picture leaves it visibly
  chart.append(draw("clipPath", {id: "inside"}, draw("rect", {x: ROOM.left, y: ROOM.top - 4, width: inner.w + 8, height: inner.h + 6})), lines);
  const order = results.map((_, i) => i).sort((a, b) => (a === setting.selected) - (b === setting.selected));
  for (const i of order) {
    const colour = `var(--o${(setting.runners[i].look + 1) % MOST})`, points = above[i].map((v, t) => `${x(t).toFixed(1)},${y(v).toFixed(1)}`);
    const chosen = i === setting.selected;
    lines.append(draw("polyline", {points: points.join(" "), fill: "none", stroke: colour, "stroke-width": chosen ? 2.75 : 1.75,
      "stroke-dasharray": dashOf(setting.runners[i].look).join(" ") || "none", "stroke-linejoin": "round"}));
    if (results[i].ended) chart.append(draw("text", {x: x(ends[i]), y: Math.max(ROOM.top + 10, y(above[i][ends[i]]) + 5), "text-anchor": "middle", class: "gone", fill: colour}, "✕"));
  }
  chart.append(draw("line", {id: "cursor", y1: ROOM.top, y2: height - ROOM.bottom, class: "cursor"}));
  box.replaceChildren(chart);
  find("losses-what").textContent = lowest === 0 ? "Loss" : log ? "Loss above the lowest" : "Loss";
  moveCursor();
}

function moveCursor() {
  const line = find("cursor");
  if (line) for (const end of ["x1", "x2"]) line.setAttribute(end, lossChart.x(player.at));
}

function decades(low, high) {
  const first = Math.ceil(Math.log10(low)), last = Math.floor(Math.log10(high)), apart = Math.max(1, Math.ceil((last - first + 1) / 6));
  const found = [];
  for (let k = first; k <= last; k++) if ((k - last) % apart === 0) found.push(10 ** k);
  return found;
}

function evenly(low, high) {
  const raw = (high - low) / 5, size = 10 ** Math.floor(Math.log10(raw));
  const apart = size * [1, 2, 5, 10].find(m => m * size >= raw);
  const found = [];
  for (let k = Math.ceil(low / apart); k * apart <= high * (1 + 1e-9); k++) found.push(Number((k * apart).toPrecision(6)));
  return found;
}

const endInWords = result => result.ended === "diverged" ? `diverged at step ${result.last}` : result.ended === "left" ? `left the measured plane at step ${result.last}` : null;

function lossesInWords() {
  return `Loss over ${setting.steps} steps. ` + results.map((r, i) => `${titleOf(setting.runners[i])}: ${endInWords(r) || `from ${said(r.loss[0])} to ${said(r.loss[r.last])}`}`).join("; ");
}

function startLosses(scrubbed) {
  const box = find("losses");
  let dragging = false;
  const scrub = event => {
    const inner = box.clientWidth - ROOM.left - ROOM.right;
    scrubbed(Math.round(setting.steps * Math.min(1, Math.max(0, (event.clientX - box.getBoundingClientRect().left - ROOM.left) / inner))));
  };
  box.addEventListener("pointerdown", event => { if (event.button === 0) { dragging = true; scrub(event); } });
  addEventListener("pointermove", event => { if (dragging) scrub(event); });
  for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => { dragging = false; });
  find("scale").addEventListener("click", () => {
    lossChart.scale = find("scale").textContent === "Log scale" ? "log" : "linear";
    drawLosses();
  });
  new ResizeObserver(() => drawLosses()).observe(box);
}
