// Numbers: how they are written, and how a slider covers them (its scale comes from Python, see ranges.py).

/** A number as people write it: 0.0012, 3.4e-7. */
function said(x, digits = 3) {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "nan" : x > 0 ? "∞" : "−∞";
  const size = Math.abs(x), short = Number(x.toPrecision(digits));
  const text = size !== 0 && (size < 1e-3 || size >= 1e5) ? short.toExponential().replace("e+", "e") : String(short);
  return text.replace(/^-/, "−");
}

const TENTHS = 20; // positions of a logarithmic slider to a factor of ten

function positions(spec) {
  switch (spec.scale) {
    case "log": return Math.round(TENTHS * Math.log10(spec.high / spec.low)) + (spec.zero ? 1 : 0);
    case "decay": return 100;
    case "whole": return spec.high - spec.low;
    default: return spec.steps || (spec.high - spec.low > 1 ? 80 : 100);
  }
}

function valueAt(spec, i) {
  switch (spec.scale) {
    case "log": return spec.zero && i === 0 ? 0 : Number((spec.low * 10 ** ((i - (spec.zero ? 1 : 0)) / TENTHS)).toPrecision(2));
    case "decay": return Number((1 - Number((10 ** (-i / 25)).toPrecision(2))).toFixed(6));
    case "whole": return spec.low + i;
    default: return Number((spec.low + (spec.high - spec.low) * i / positions(spec)).toFixed(4));
  }
}

function positionOf(spec, value) {
  switch (spec.scale) {
    case "log": return value <= 0 ? 0 : Math.max(0, Math.round(TENTHS * Math.log10(value / spec.low)) + (spec.zero ? 1 : 0));
    case "decay": return Math.round(-25 * Math.log10(1 - value));
    case "whole": return value - spec.low;
    default: return Math.round((value - spec.low) / (spec.high - spec.low) * positions(spec));
  }
}

/** A value that the slider's ends allow; null for what is no number. */
function allowed(spec, value) {
  if (!Number.isFinite(value)) return null;
  const low = spec.scale === "log" && spec.zero && value <= 0 ? 0 : Math.max(spec.low, value);
  const inside = Math.min(spec.high, spec.first ? Math.max(low, valueAt(spec, spec.first)) : low);
  return spec.scale === "whole" ? Math.round(inside) : inside;
}

/** A standard normal number, the same for everybody who asks with the same seed, step and coordinate. */
function normal(seed, t, k) {
  const radius = Math.sqrt(-2 * Math.log(scattered(seed, t, 2 * k)));
  return radius * Math.cos(2 * Math.PI * scattered(seed, t, 2 * k + 1));
}

function scattered(seed, t, k) { // between 0 and 1: the mixing steps of MurmurHash3's finalizer
  let h = Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(t + 1, 0x85ebca6b) ^ Math.imul(k + 1, 0xc2b2ae35);
  for (let i = 0; i < 2; i++) {
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    h ^= h >>> 16;
  }
  return ((h >>> 0) + 0.5) / 4294967296;
}
