// Putting it together: what changes what.

let results = [];

/** Everything is run again: a few milliseconds. */
function runAll() {
  settleRates();
  results = setting.runners.map(runner => run(nodesOf(runner), surface, setting.start, setting.steps));
}

function changedNumbers() {
  runAll();
  drawLosses();
  drawSweep();
  showStep(player.at);
  const python = find("python");
  if (python) python.textContent = pythonOf(setting.runners[setting.selected]);
}

function changedStructure(focus) {
  runAll();
  drawCards();
  if (focus) { const there = document.querySelector(`[data-focus="${focus}"]`); if (there && !there.disabled) there.focus(); }
  changedNumbers();
}

function changedSurface() {
  surface = surfaceOf(setting.surface, optionsOf(setting.surface));
  find("about").textContent = SURFACES[setting.surface].about;
  changedNumbers();
  shownKnobs.forEach(show => show());
  showStart();
}

function chooseSurface(name) {
  setting.surface = name;
  setting.start = [...SURFACES[name].start];
  const atEnd = player.at === setting.steps;
  setting.steps = SURFACES[name].steps || 200;
  player.at = atEnd ? setting.steps : Math.min(player.at, setting.steps);
  find("steps").value = setting.steps;
  drawOptions();
  changedSurface();
}

function moveStart(place) {
  setting.start = place.map(v => Number(v.toPrecision(4)));
  showStart();
  changedNumbers();
}

function showStart() {
  ["start-x", "start-y"].forEach((id, k) => { if (document.activeElement !== find(id)) find(id).value = setting.start[k]; });
}

function drawOptions() {
  find("surface").value = setting.surface;
  const options = optionsOf(setting.surface);
  find("options").replaceChildren(...Object.entries(SURFACES[setting.surface].options).map(([name, spec]) => {
    const {range, number} = slider(spec, spec.label, `option.${name}`, () => options[name] === undefined ? spec.default : options[name], value => {
      options[name] = value;
      changedSurface();
    });
    return make("div.field", {"data-field": `option.${name}`}, make("span.label", {}, spec.label), range, number);
  }));
}

// -- runners ------------------------------------------------------------------------------------------

function choose(i) {
  setting.selected = i;
  drawCards();
  drawLosses();
  drawSweep();
  showStep(player.at);
}

function addRunner(runner) {
  if (setting.runners.length >= MOST) return;
  setting.runners.push({...runner, look: freeLook(setting.runners)});
  setting.selected = setting.runners.length - 1;
  changedStructure();
}

const duplicate = i => addRunner(structuredClone(setting.runners[i]));

function removeRunner(i) {
  setting.runners.splice(i, 1);
  setting.selected = Math.min(setting.runners.length - 1, setting.selected - (i < setting.selected ? 1 : 0));
  changedStructure();
}

// -- the page -----------------------------------------------------------------------------------------

function adopt(given) {
  play(false);
  setting = given.setting;
  player.at = Math.min(given.at, setting.steps);
  find("steps").value = setting.steps;
  surface = surfaceOf(setting.surface, optionsOf(setting.surface));
  drawOptions();
  runAll();
  drawCards();
  changedSurface();
}

function startTheme() {
  const system = matchMedia("(prefers-color-scheme: dark)"), button = find("theme");
  const dark = () => root.dataset.theme ? root.dataset.theme === "dark" : system.matches;
  const settle = () => {
    button.textContent = dark() ? "Light" : "Dark";
    button.setAttribute("aria-label", dark() ? "Use light colours" : "Use dark colours");
    if (setting) { drawMap(); drawLosses(); }
  };
  try { const kept = localStorage.getItem("steepest-theme"); if (kept) root.dataset.theme = kept; } catch { /* not allowed to remember */ }
  button.addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    try { localStorage.setItem("steepest-theme", root.dataset.theme); } catch { /* the same */ }
    settle();
  });
  system.addEventListener("change", settle);
  settle();
}

function start() {
  find("steps").append(...STEPS.map(n => make("option", {value: n}, String(n))));
  find("surface").append(...Object.entries(SURFACES).map(([name, s]) => make("option", {value: name}, s.title)));
  find("surface").addEventListener("change", event => chooseSurface(event.target.value));
  ["start-x", "start-y"].forEach((id, k) => find(id).addEventListener("change", event => {
    const value = Number(event.target.value.replace(",", ".").replace("−", "-"));
    if (Number.isFinite(value)) moveStart(setting.start.map((old, i) => i === k ? value : old));
    else showStart();
  }));
  find("steps").addEventListener("change", event => {
    const atEnd = player.at === setting.steps;
    setting.steps = Number(event.target.value);
    if (atEnd || player.at > setting.steps) player.at = setting.steps;
    changedNumbers();
  });
  find("add").addEventListener("click", () => addRunner(presetRunner(Object.keys(PRESETS).find(p => !setting.runners.some(r => r.preset === p)) || "adam")));
  find("add-chain").addEventListener("click", () => addRunner(chainRunner(FIRST_CHAIN.map(newLink))));
  find("reset").addEventListener("click", () => adopt({setting: firstSetting(), at: 200}));
  find("share").addEventListener("click", () => {
    history.replaceState(null, "", "#" + packedSetting());
    copied(location.href, find("share"), "Copy link");
  });
  startMap(moveStart);
  startLosses(at => { play(false); showStep(at); });
  startPlayer();
  startTheme();
  adopt(unpackedSetting(location.hash) || {setting: firstSetting(), at: 200});
  addEventListener("hashchange", () => { const given = unpackedSetting(location.hash); if (given) adopt(given); });
  root.dataset.drawn = "true";
}

start();
