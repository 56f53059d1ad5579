// A measured surface: numbers on a grid, and between them a bicubic spline (Catmull-Rom), smooth up to its first derivative.

/** {f, gradient, inside} of a grid as scripts/make_play_slice.py writes it. */
function measured(slice) {
  const {columns, rows, spacing} = slice;
  const bytes = Uint8Array.from(atob(slice.grid), c => c.charCodeAt(0));
  const whole = new Uint16Array(bytes.buffer);
  const value = (i, j) => whole[clamp(j, rows) * columns + clamp(i, columns)] * slice.top / 65535;
  const clamp = (i, n) => Math.min(n - 1, Math.max(0, i));

  const weights = s => [
    ((-0.5 * s + 1) * s - 0.5) * s, (1.5 * s - 2.5) * s * s + 1, ((-1.5 * s + 2) * s + 0.5) * s, (0.5 * s - 0.5) * s * s,
  ];
  const slopes = s => [(-1.5 * s + 2) * s - 0.5, (4.5 * s - 5) * s, (-4.5 * s + 4) * s + 0.5, (1.5 * s - 1) * s];

  function summed(x, y, across, up) {
    const u = (x - slice.x) / spacing, v = (y - slice.y) / spacing;
    const i = clamp(Math.floor(u), columns - 1), j = clamp(Math.floor(v), rows - 1);
    const a = across(u - i), b = up(v - j);
    let sum = 0;
    for (let m = 0; m < 4; m++) for (let n = 0; n < 4; n++) sum += b[m] * a[n] * value(i + n - 1, j + m - 1);
    return sum;
  }
  return {
    f: (x, y) => summed(x, y, weights, weights),
    gradient: (x, y) => [summed(x, y, slopes, weights) / spacing, summed(x, y, weights, slopes) / spacing],
    inside: (x, y) => x >= slice.x && y >= slice.y && x <= slice.x + (columns - 1) * spacing && y <= slice.y + (rows - 1) * spacing,
  };
}
