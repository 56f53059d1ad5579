// The setting: which surface, from where, which runners. Everything on the page follows from it, and the link holds it.

const MOST = 8; // runners: as many colours as can be told apart
const STEPS = [50, 100, 200, 500, 1000];
const FIRST_RUNNERS = ["momentum", "rmsprop", "adam", "lion"];
const FIRST_CHAIN = ["ClipByGlobalNorm", "ScaleByBelief", "Cautious", "AddDecayedWeights", "ScaleByLearningRate"];

let setting = null;
let surface = null;

function firstSetting() {
  const fresh = {surface: "ravine", options: {}, start: [...SURFACES.ravine.start], steps: 200, runners: [], selected: 0};
  for (const preset of FIRST_RUNNERS.filter(name => PRESETS[name])) fresh.runners.push({...presetRunner(preset), look: freeLook(fresh.runners)});
  fresh.selected = Math.max(0, fresh.runners.findIndex(r => r.preset === "adam"));
  return fresh;
}

const freeLook = runners => [...Array(MOST).keys()].find(look => !runners.some(r => r.look === look));
const presetRunner = preset => ({preset, values: {}, auto: true});
const chainRunner = (links, lookahead = null) => ({links, lookahead, auto: true});
const newLink = link => ({link, fields: Object.fromEntries(Object.entries(LINKS[link].fields).map(([name, spec]) => [name, spec.default]))});

/** The strategy of a runner, as nodes. */
function nodesOf(runner) {
  if (runner.links) return runner.lookahead ? [{link: "Lookahead", fields: runner.lookahead, inner: runner.links}] : runner.links;
  const preset = PRESETS[runner.preset], nodes = structuredClone(preset.tree);
  for (const [name, argument] of Object.entries(preset.arguments)) {
    for (const place of argument.places) put(nodes, place, valueOf(runner, name));
  }
  return nodes;
}

function put(nodes, place, value) { // place: [1, "b1"], or [0, 2, "lr"] for a link inside the first
  let node = nodes[place[0]];
  for (const i of place.slice(1, -1)) node = node.inner[i];
  node.fields[place[place.length - 1]] = value;
}

const valueOf = (runner, name) => name in runner.values ? runner.values[name] : PRESETS[runner.preset].arguments[name].default;

/** What can be turned at a runner: {key, name, spec, get, set}, for the links of a chain in groups. */
function knobs(runner) {
  if (!runner.links) {
    return Object.entries(PRESETS[runner.preset].arguments).map(([name, spec]) => ({
      key: name, name, spec, group: null, get: () => valueOf(runner, name), set: value => { runner.values[name] = value; },
    }));
  }
  const groups = runner.links.map(({link, fields}, i) => [i, link, fields]);
  if (runner.lookahead) groups.push(["around", "Lookahead", runner.lookahead]);
  return groups.flatMap(([group, link, fields]) => Object.entries(LINKS[link].fields).map(([name, spec]) => ({
    key: `${group}.${name}`, name, spec, group, get: () => fields[name], set: value => { fields[name] = value; },
  })));
}

/** The learning rate of a runner, if it has one. */
const rate = runner => knobs(runner).find(knob => knob.name === "lr" && knob.spec.scale === "log");

function titleOf(runner) {
  if (!runner.links) return PRESETS[runner.preset].title;
  return runner.name || "Own chain";
}

/** Until somebody turns it, a learning rate is the surface's: there is no default for a toy. */
function settleRates() {
  for (const runner of setting.runners) {
    const knob = runner.auto && rate(runner);
    if (!knob) continue;
    knob.set(1e-2);
    const nodes = nodesOf(runner), lr = ignoresSize(nodes) ? surface.lr.step : surface.lr.slope / Math.max(1, gain(nodes, 1e-2));
    knob.set(allowed(knob.spec, Number.isFinite(lr) ? Number(lr.toPrecision(1)) : 1e-2));
  }
}

function optionsOf(name) {
  return setting.options[name] || (setting.options[name] = {});
}

/** A chain of one's own from what a runner is: the same links and numbers. */
function asChain(runner) {
  const nodes = structuredClone(nodesOf(runner));
  const around = nodes.length === 1 && nodes[0].link === "Lookahead" ? nodes[0] : null;
  return {...chainRunner(around ? around.inner : nodes, around && around.fields), auto: runner.auto, look: runner.look, name: `${titleOf(runner)}, as a chain`};
}
