// The map: the surface, the paths, where the runners are, and the start, which can be moved.

const map = {canvas: null, pen: null, field: null, key: "", width: 0, height: 0};

function startMap(moved) {
  map.canvas = find("map");
  map.pen = map.canvas.getContext("2d");
  let dragging = false;
  const place = event => {
    const box = map.canvas.getBoundingClientRect();
    const [x0, x1] = surface.x, [y0, y1] = surface.y;
    const part = (at, size) => Math.min(1, Math.max(0, at / size));
    return [x0 + (x1 - x0) * part(event.clientX - box.left, box.width), y1 - (y1 - y0) * part(event.clientY - box.top, box.height)];
  };
  map.canvas.addEventListener("pointerdown", event => { // a finger may want to scroll: it sets the start when it taps
    if (event.pointerType === "touch" || event.button !== 0) return;
    dragging = true;
    map.canvas.setPointerCapture(event.pointerId);
    moved(place(event));
  });
  map.canvas.addEventListener("pointermove", event => { if (dragging) moved(place(event)); });
  for (const end of ["pointerup", "pointercancel"]) map.canvas.addEventListener(end, () => { dragging = false; });
  map.canvas.addEventListener("click", event => moved(place(event)));
  map.canvas.addEventListener("keydown", event => {
    const way = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1]}[event.key];
    if (!way) return;
    event.preventDefault();
    const stride = (surface.x[1] - surface.x[0]) / (event.shiftKey ? 400 : 60);
    const spans = [surface.x, surface.y];
    moved(setting.start.map((v, k) => Math.min(spans[k][1], Math.max(spans[k][0], v + way[k] * stride))));
  });
  new ResizeObserver(() => drawMap()).observe(map.canvas);
}

function drawMap() {
  const width = map.canvas.clientWidth, height = map.canvas.clientHeight, ratio = Math.min(3, devicePixelRatio || 1);
  if (!width || !setting) return;
  const key = JSON.stringify([setting.surface, optionsOf(setting.surface), width, height, ratio, colourNow("--low")]);
  if (key !== map.key) {
    Object.assign(map, {key, width, height, field: paintField(surface, width, height, ratio)});
    map.canvas.width = map.field.width;
    map.canvas.height = map.field.height;
  }
  const {pen} = map;
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.drawImage(map.field, 0, 0);
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.lineJoin = pen.lineCap = "round";
  surface.minima.forEach(([x, y]) => cross(toX(x), toY(y)));
  const order = results.map((_, i) => i).sort((a, b) => (a === setting.selected) - (b === setting.selected));
  for (const i of order) drawPath(results[i], setting.runners[i].look, i === setting.selected);
  drawStart();
  drawArrows(results[setting.selected], setting.runners[setting.selected].look);
  for (const i of order) drawHead(results[i], setting.runners[i].look, i === setting.selected);
}

const toX = x => (x - surface.x[0]) / (surface.x[1] - surface.x[0]) * map.width;
const toY = y => (surface.y[1] - y) / (surface.y[1] - surface.y[0]) * map.height;
const near = v => Math.min(1e5, Math.max(-1e5, v)); // canvases lose count far outside

function trail(result, from, to) {
  const {pen} = map;
  pen.beginPath();
  for (let t = from; t <= to; t++) pen.lineTo(near(toX(result.x[t])), near(toY(result.y[t])));
}

function drawPath(result, look, selected) {
  const {pen} = map, at = Math.min(player.at, shownEnd(result)), end = shownEnd(result);
  pen.globalAlpha = 0.32;
  pen.strokeStyle = lookColour(look);
  pen.lineWidth = 1.25;
  trail(result, at, end);
  pen.stroke();
  pen.globalAlpha = selected ? 0.9 : 0.6;
  pen.strokeStyle = colourNow("--paper");
  pen.lineWidth = selected ? 5.5 : 4;
  trail(result, 0, at);
  pen.stroke();
  pen.globalAlpha = 1;
  pen.strokeStyle = lookColour(look);
  pen.lineWidth = selected ? 2.75 : 1.75;
  pen.setLineDash(dashOf(look));
  trail(result, 0, at);
  pen.stroke();
  pen.setLineDash([]);
  if (selected && at <= 120) {
    pen.fillStyle = lookColour(look);
    for (let t = 1; t < at; t++) { pen.beginPath(); pen.arc(near(toX(result.x[t])), near(toY(result.y[t])), 2.4, 0, 7); pen.fill(); }
  }
}

/** The last step that has a place. */
const shownEnd = result => Number.isFinite(result.x[result.last] + result.y[result.last]) ? result.last : Math.max(0, result.last - 1);

function drawHead(result, look, selected) {
  const {pen} = map, t = Math.min(player.at, shownEnd(result));
  let [x, y] = [toX(result.x[t]), toY(result.y[t])];
  const edge = 11, out = x < 0 || y < 0 || x > map.width || y > map.height;
  const gone = result.ended && player.at >= result.last;
  if (out) [x, y] = [Math.min(map.width - edge, Math.max(edge, x)), Math.min(map.height - edge, Math.max(edge, y))];
  pen.globalAlpha = out && !gone ? 0.75 : 1;
  pen.strokeStyle = colourNow("--paper");
  pen.fillStyle = lookColour(look);
  pen.lineWidth = 2;
  if (gone) return brokenOff(x, y, lookColour(look));
  pen.beginPath();
  for (const [dx, dy] of markerPoints(look, selected ? 8.5 : 6.5)) pen.lineTo(x + dx, y + dy);
  pen.closePath();
  pen.stroke();
  pen.fill();
  pen.globalAlpha = 1;
}

/** At the chosen runner: where the slope points down (thin), and where it goes next (in its colour). Directions only. */
function drawArrows(result, look) {
  const t = player.at;
  if (t >= result.last || !Number.isFinite(result.x[t + 1] + result.y[t + 1])) return;
  const [x, y] = [toX(result.x[t]), toY(result.y[t])], slope = surface.gradient(result.x[t], result.y[t]);
  const across = map.width / (surface.x[1] - surface.x[0]), up = map.height / (surface.y[1] - surface.y[0]);
  arrow(x, y, -slope[0] * across, slope[1] * up, 46, colourNow("--ink"), 1.5);
  arrow(x, y, (result.x[t + 1] - result.x[t]) * across, (result.y[t] - result.y[t + 1]) * up, 46, lookColour(look), 3);
}

function arrow(x, y, dx, dy, long, colour, width) {
  const {pen} = map, size = Math.hypot(dx, dy);
  if (!size) return;
  const [ux, uy] = [dx / size, dy / size], [ex, ey] = [x + ux * long, y + uy * long], tip = 4 + 1.6 * width;
  for (const [style, extra] of [[colourNow("--paper"), 2.5], [colour, 0]]) {
    pen.strokeStyle = style;
    pen.lineWidth = width + extra;
    pen.beginPath();
    pen.moveTo(x, y);
    pen.lineTo(ex, ey);
    pen.moveTo(ex - tip * (ux + uy * 0.6), ey - tip * (uy - ux * 0.6));
    pen.lineTo(ex, ey);
    pen.lineTo(ex - tip * (ux - uy * 0.6), ey - tip * (uy + ux * 0.6));
    pen.stroke();
  }
}

function brokenOff(x, y, colour) {
  const {pen} = map;
  for (const [style, width] of [[colourNow("--paper"), 7], [colour, 3.5]]) {
    pen.strokeStyle = style;
    pen.lineWidth = width;
    pen.beginPath();
    pen.moveTo(x - 6, y - 6); pen.lineTo(x + 6, y + 6); pen.moveTo(x + 6, y - 6); pen.lineTo(x - 6, y + 6);
    pen.stroke();
  }
}

function drawStart() {
  const {pen} = map, x = toX(setting.start[0]), y = toY(setting.start[1]);
  for (const [style, width, radius] of [[colourNow("--paper"), 4.5, 8], [colourNow("--ink"), 2, 8]]) {
    pen.strokeStyle = style;
    pen.lineWidth = width;
    pen.beginPath();
    pen.arc(x, y, radius, 0, 7);
    pen.stroke();
  }
}

function cross(x, y) {
  const {pen} = map;
  pen.strokeStyle = colourNow("--ink");
  pen.globalAlpha = 0.6;
  pen.lineWidth = 1.5;
  pen.beginPath();
  pen.moveTo(x - 6, y); pen.lineTo(x + 6, y); pen.moveTo(x, y - 6); pen.lineTo(x, y + 6);
  pen.stroke();
  pen.globalAlpha = 1;
}
