// The setting as the part of the address after #, so that a link shows what its sender saw. What a link says is checked piece by piece.

function packedSetting() {
  const options = setting.options[setting.surface] || {};
  const runners = setting.runners.map(r => ({
    l: r.look, a: r.auto ? 1 : 0, ...(r.links ? {c: r.links.map(n => [n.link, n.fields]), w: r.lookahead, n: r.name} : {p: r.preset, v: r.values}),
  }));
  const bytes = new TextEncoder().encode(JSON.stringify({s: setting.surface, o: options, b: setting.start, n: setting.steps, t: player.at, i: setting.selected, r: runners}));
  return "1." + btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

/** {setting, at} of a link; null if it is none of ours. */
function unpackedSetting(hash) {
  try {
    if (!hash.startsWith("#1.")) return null;
    const bytes = Uint8Array.from(atob(hash.slice(3).replace(/-/g, "+").replace(/_/g, "/")), c => c.charCodeAt(0));
    const given = JSON.parse(new TextDecoder().decode(bytes));
    if (!Object.hasOwn(SURFACES, given.s)) return null;
    const runners = given.r.slice(0, MOST).map(readRunner).filter(Boolean);
    if (!runners.length) return null;
    runners.forEach((r, i) => { if (!(r.look >= 0 && r.look < MOST) || runners.slice(0, i).some(o => o.look === r.look)) r.look = freeLook(runners); });
    const start = SURFACES[given.s].start.map((fallback, k) => Number.isFinite(given.b[k]) ? given.b[k] : fallback);
    const steps = STEPS.includes(given.n) ? given.n : 200;
    const selected = Math.min(runners.length - 1, Math.max(0, Math.round(given.i) || 0));
    const options = {[given.s]: readFields(SURFACES[given.s].options, given.o)};
    return {setting: {surface: given.s, options, start, steps, runners, selected}, at: Math.min(steps, Math.max(0, Math.round(given.t) || 0))};
  } catch {
    return null;
  }
}

function readRunner(given) {
  const common = {look: given.l, auto: given.a === 1};
  if (given.c) {
    const links = given.c.filter(([link]) => Object.hasOwn(LINKS, link) && !LINKS[link].wraps).slice(0, 12)
      .map(([link, fields]) => ({link, fields: readFields(LINKS[link].fields, fields)}));
    const lookahead = given.w ? readFields(LINKS.Lookahead.fields, given.w) : null;
    return links.length ? {...chainRunner(links, lookahead), ...common, name: typeof given.n === "string" ? given.n.slice(0, 60) : undefined} : null;
  }
  if (!Object.hasOwn(PRESETS, given.p)) return null;
  const specs = PRESETS[given.p].arguments;
  const known = Object.fromEntries(Object.entries(given.v || {}).filter(([name]) => Object.hasOwn(specs, name)));
  const all = readFields(specs, known);
  return {...presetRunner(given.p), ...common, values: Object.fromEntries(Object.keys(known).map(name => [name, all[name]]))};
}

function readFields(specs, given) {
  return Object.fromEntries(Object.entries(specs).map(([name, spec]) => {
    const value = given && given[name];
    if (spec.scale === "switch") return [name, typeof value === "boolean" ? value : spec.default];
    const number = typeof value === "number" ? allowed(spec, value) : null;
    return [name, number === null ? spec.default : number];
  }));
}

let writing = 0;
function writeLink() { // not at every move of a slider: browsers allow about a hundred changes in half a minute
  clearTimeout(writing);
  writing = setTimeout(() => history.replaceState(null, "", "#" + packedSetting()), 350);
}
