// The picture of a surface under the paths: shades for the height, and contour lines. Drawn once for each surface, size and theme.

const LEVELS = 16;

/** Heights on a grid, as numbers from 0 (lowest shown) to 1, evenly spread over the picture as the logarithm spreads them. */
function heights(surface, columns, rows) {
  const [x0, x1] = surface.x, [y0, y1] = surface.y;
  const raw = new Float64Array(columns * rows);
  for (let j = 0; j < rows; j++) {
    for (let i = 0; i < columns; i++) raw[j * columns + i] = surface.f(x0 + (x1 - x0) * i / (columns - 1), y1 - (y1 - y0) * j / (rows - 1));
  }
  const sorted = Float64Array.from(raw).sort();
  const low = sorted[0], middle = sorted[sorted.length >> 1] - low || 1;
  const scaled = raw.map(z => Math.log1p((z - low) / (0.03 * middle)));
  const top = scaled.reduce((a, b) => Math.max(a, b));
  return scaled.map(z => z / top);
}

function paintField(surface, width, height, ratio) {
  const columns = Math.min(360, Math.ceil(width / 2.5)), rows = Math.ceil(columns * height / width);
  const z = heights(surface, columns, rows);
  const low = rgb(colourNow("--low")), high = rgb(colourNow("--high"));
  const shades = new ImageData(columns, rows);
  z.forEach((value, i) => {
    const part = (Math.floor(value * LEVELS) + 0.5) / LEVELS * 0.55 + value * 0.45; // a hint of terraces
    for (let c = 0; c < 3; c++) shades.data[4 * i + c] = low[c] + (high[c] - low[c]) * Math.min(1, part);
    shades.data[4 * i + 3] = 255;
  });
  const small = canvasOf(columns, rows), large = canvasOf(width * ratio, height * ratio);
  small.getContext("2d").putImageData(shades, 0, 0);
  const pen = large.getContext("2d");
  pen.imageSmoothingQuality = "high";
  pen.drawImage(small, 0, 0, large.width, large.height);
  pen.scale(large.width / (columns - 1), large.height / (rows - 1));
  pen.strokeStyle = colourNow("--contour");
  pen.lineWidth = ratio * (columns - 1) / large.width;
  pen.stroke(contours(z, columns, rows));
  return large;
}

/** Marching squares: where each level crosses the edges of each cell. */
function contours(z, columns, rows) {
  const path = new Path2D();
  for (let j = 0; j < rows - 1; j++) {
    for (let i = 0; i < columns - 1; i++) {
      const a = z[j * columns + i], b = z[j * columns + i + 1], c = z[(j + 1) * columns + i + 1], d = z[(j + 1) * columns + i];
      const first = Math.ceil(Math.min(a, b, c, d) * LEVELS), last = Math.floor(Math.max(a, b, c, d) * LEVELS);
      for (let k = Math.max(1, first); k <= last && k < LEVELS; k++) {
        const level = k / LEVELS, cuts = [];
        const cut = (p, q, at) => { if (p < level !== q < level) cuts.push(at((level - p) / (q - p))); };
        cut(a, b, s => [i + s, j]);
        cut(b, c, s => [i + 1, j + s]);
        cut(d, c, s => [i + s, j + 1]);
        cut(a, d, s => [i, j + s]);
        for (let m = 0; m + 1 < cuts.length; m += 2) { path.moveTo(...cuts[m]); path.lineTo(...cuts[m + 1]); }
      }
    }
  }
  return path;
}

function canvasOf(width, height) {
  const made = document.createElement("canvas");
  made.width = Math.round(width); made.height = Math.round(height);
  return made;
}

const rgb = hex => [1, 3, 5].map(i => parseInt(hex.slice(i, i + 2), 16));
