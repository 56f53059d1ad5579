// The runners as cards: which optimizer, its sliders, the chain's pieces, the code. The chosen card is open.

let shownKnobs = []; // to be shown anew when a number changes elsewhere

function drawCards() {
  keepingFocus(() => {
    shownKnobs = [];
    find("cards").replaceChildren(...setting.runners.map(card));
    find("add").disabled = find("add-chain").disabled = setting.runners.length >= MOST;
    find("full").hidden = setting.runners.length < MOST;
  });
  drawStatus();
}

function card(runner, i) {
  const chosen = i === setting.selected;
  const button = (label, focus, act, picture, disabled = false) =>
    make("button.icon", {type: "button", "aria-label": `${label} ${titleOf(runner)}`, title: label, "data-focus": `${focus}${i}`, disabled, onclick: event => { event.stopPropagation(); act(); }}, icon(picture));
  const head = make("div.head", {},
    make("button.pick", {type: "button", "aria-expanded": String(chosen), "aria-controls": `body${i}`, "data-focus": `pick${i}`, onclick: () => choose(i)},
      swatch(runner.look), make("span.name", {}, titleOf(runner)), make("span.status", {id: `status${i}`})),
    button("Duplicate", "copy", () => duplicate(i), "copy", setting.runners.length >= MOST),
    button("Remove", "drop", () => removeRunner(i), "drop", setting.runners.length === 1));
  return make(`li.card${chosen ? ".chosen" : ""}`, {"data-runner": i}, head, chosen && make("div.body", {id: `body${i}`}, runner.links ? chainBody(runner) : presetBody(runner), code(runner)));
}

function presetBody(runner) {
  const kinds = make("select", {"aria-label": "Optimizer", "data-focus": "preset", onchange: event => {
    Object.assign(runner, {preset: event.target.value, values: {}, auto: true});
    changedStructure();
  }}, Object.entries(PRESETS).map(([name, p]) => make("option", {value: name, selected: name === runner.preset}, p.title)));
  return [
    make("div.row", {}, kinds, make("button.button", {type: "button", "data-focus": "open", onclick: () => { setting.runners[setting.selected] = asChain(runner); changedStructure(); }}, "Open as a chain")),
    make("p.about", {}, PRESETS[runner.preset].about),
    knobs(runner).map(knob => field(runner, knob)),
  ];
}

function chainBody(runner) {
  const all = knobs(runner), mine = group => all.filter(knob => knob.group === group).map(knob => field(runner, knob));
  const last = runner.links.length - 1;
  const move = (i, to) => { runner.links.splice(to, 0, ...runner.links.splice(i, 1)); changedStructure(`up${to}`); };
  const pieces = runner.links.map((node, i) => make("li.piece", {},
    make("div.head", {}, make("code", {title: LINKS[node.link].about}, node.link),
      make("button.icon", {type: "button", "aria-label": `Move ${node.link} up`, "data-focus": `up${i}`, disabled: i === 0, onclick: () => move(i, i - 1)}, icon("up")),
      make("button.icon", {type: "button", "aria-label": `Move ${node.link} down`, "data-focus": `down${i}`, disabled: i === last, onclick: () => move(i, i + 1)}, icon("down")),
      make("button.icon", {type: "button", "aria-label": `Take ${node.link} out`, "data-focus": `out${i}`, disabled: last === 0, onclick: () => { runner.links.splice(i, 1); changedStructure(); }}, icon("drop"))),
    mine(i)));
  const kinds = Object.keys(LINKS).filter(name => !LINKS[name].wraps);
  const add = make("select", {"aria-label": "Add a piece", "data-focus": "piece", onchange: event => {
    if (!event.target.value) return;
    const at = /LearningRate|ShrinkWeights/.test(event.target.value) ? runner.links.length : beforeTheRate(runner);
    runner.links.splice(at, 0, newLink(event.target.value));
    changedStructure();
  }}, make("option", {value: ""}, "Add a piece …"), kinds.map(name => make("option", {value: name, title: LINKS[name].about}, name)));
  const around = make("label.switch", {}, make("input", {type: "checkbox", "data-focus": "around", checked: Boolean(runner.lookahead), onchange: event => {
    runner.lookahead = event.target.checked ? newLink("Lookahead").fields : null;
    changedStructure();
  }}), "Lookahead around it");
  return [
    make("p.about", {}, "The gradient goes in at the top; each piece hands on what it makes of it."),
    make("ol.pieces", {}, pieces), make("div.row", {}, add, around),
    runner.lookahead && make("div.piece", {}, make("div.head", {}, make("code", {title: LINKS.Lookahead.about}, "Lookahead")), mine("around")),
    !turnsDownhill(runner) && make("p.hint", {role: "status"}, "This chain walks uphill or stands still: nothing in it turns the update round. ScaleByLearningRate does."),
  ];
}

const beforeTheRate = runner => { const i = runner.links.findIndex(n => n.link === "ScaleByLearningRate"); return i < 0 ? runner.links.length : i; };

/** Whether the first step from a slope goes down it. */
function turnsDownhill(runner) {
  const tensor = {param: new Float64Array([1, 1]), grad: new Float64Array([1, 0.5])};
  step(strategy(nodesOf(runner), [tensor]));
  return tensor.param[0] < 1 || tensor.param[1] < 1;
}

/** One field: a label, a slider and its number, or a switch. Below the learning rate: what every other one would have led to. */
function field(runner, knob) {
  const focus = `${setting.selected}:${knob.key}`;
  if (knob.spec.scale === "switch") {
    return make("label.switch", {}, make("input", {type: "checkbox", checked: knob.get(), "data-focus": focus, onchange: event => { knob.set(event.target.checked); changedStructure(); }}), knob.name);
  }
  const isRate = knob.name === "lr" && knob.spec.scale === "log";
  const {range, number, show} = slider(knob.spec, knob.name, focus, knob.get, value => {
    knob.set(value);
    if (isRate) runner.auto = false;
    changedNumbers();
  });
  shownKnobs.push(show);
  const first = isRate && rate(runner).key === knob.key;
  return make("div.field", {"data-field": knob.key},
    make("span.label", {}, knob.name), range, number,
    first && make("div.sweep", {id: "sweep"}),
    first && make("div.under", {}, make("span.quiet", {id: "sweep-says"}), make("button.button", {type: "button", "data-focus": "tune", onclick: () => bestRate(runner)}, "Take the best")));
}

function code(runner) {
  const text = make("pre", {id: "python", tabindex: 0, "aria-label": "Python code"}, pythonOf(runner));
  const copy = make("button.button", {type: "button", "data-focus": "code", onclick: () => copied(pythonOf(runner), copy, "Copy")}, "Copy");
  return make("details.code", {open: code.open, ontoggle: event => { code.open = event.target.open; }}, make("summary", {"data-focus": "summary"}, "Python to paste"), text, copy);
}
code.open = false;

async function copied(text, button, label) {
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch { // a page from a file may not be allowed to
    const area = make("textarea", {}, text);
    document.body.append(area);
    area.select();
    button.textContent = document.execCommand("copy") ? "Copied" : "Not allowed here";
    area.remove();
  }
  setTimeout(() => { button.textContent = label; }, 1500);
}

/** The loss of every runner at the step that is shown. */
function drawStatus() {
  results.forEach((result, i) => {
    const t = Math.min(player.at, result.last), over = result.ended && player.at >= result.last;
    const place = find(`status${i}`);
    if (!place) return;
    place.textContent = over ? endInWords(result) : `loss ${said(result.loss[t])}`;
    place.classList.toggle("bad", Boolean(over));
  });
}

// -- what other learning rates would have led to -----------------------------------------------------------

let sweeping = 0;
function drawSweep() {
  clearTimeout(sweeping);
  sweeping = setTimeout(() => {
    const runner = setting.runners[setting.selected], box = find("sweep"), knob = rate(runner);
    if (!box || !knob) return;
    const found = sweepOf(runner, knob), start = results[setting.selected].loss[0] - surface.lowest;
    const good = longest(found, p => p.loss - surface.lowest <= start * 0.05);
    const w = 300, h = 34, floor = 1e-6 * start;
    const y = p => { const part = Math.log(Math.max(p.loss - surface.lowest, floor) / floor) / Math.log(1e6); return h - 2 - (h - 4) * (1 - Math.min(1, Math.max(0, part))); };
    const x = i => w * i / (found.length - 1), wide = w / (found.length - 1);
    const bars = found.map((p, i) => Number.isNaN(p.loss)
      ? draw("rect", {x: x(i) - wide / 2, y: 0, width: wide + 0.5, height: h, class: "lost"})
      : draw("rect", {x: x(i) - wide / 2, y: y(p), width: wide + 0.5, height: h - y(p), class: "reached"}));
    box.replaceChildren(draw("svg", {viewBox: `0 0 ${w} ${h}`, preserveAspectRatio: "none", "aria-hidden": "true"}, bars));
    find("sweep-says").textContent = good.length
      ? `Taller is better. ${said(good[0].lr, 2)} to ${said(good[good.length - 1].lr, 2)} cut the loss to a twentieth.` : "Taller is better. None cuts the loss to a twentieth.";
  }, 120);
}

/** The longest stretch of neighbours that pass. */
function longest(places, passes) {
  let best = [], stretch = [];
  for (const place of places) {
    stretch = passes(place) ? [...stretch, place] : [];
    if (stretch.length > best.length) best = stretch;
  }
  return best;
}

function sweepOf(runner, knob) {
  const old = knob.get();
  const found = sweep(lr => { knob.set(lr); return structuredClone(nodesOf(runner)); }, knob.spec, surface, setting.start, setting.steps);
  knob.set(old);
  return found;
}

function bestRate(runner) {
  const knob = rate(runner), reached = sweepOf(runner, knob).filter(p => !Number.isNaN(p.loss));
  if (!reached.length) return;
  knob.set(reached.reduce((best, p) => p.loss < best.loss ? p : best).lr);
  runner.auto = false;
  changedNumbers();
  shownKnobs.forEach(show => show());
}
