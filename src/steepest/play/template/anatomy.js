// One step of the chosen runner, taken apart: the gradient, each link's state and what it hands on, and the step that comes out.

function drawAnatomy() {
  const runner = setting.runners[setting.selected], result = results[setting.selected];
  const t = Math.min(Math.max(1, player.at), result.last);
  find("anatomy-title").textContent = t >= 1 ? `Step ${t} of ${titleOf(runner)}` : titleOf(runner);
  find("anatomy").style.setProperty("--mine", `var(--o${(runner.look + 1) % MOST})`);
  if (t < 1) { find("anatomy").replaceChildren(); return; }
  const parts = anatomy(nodesOf(runner), surface, setting.start, t);
  const body = [row("gradient", "", parts.gradient, "given")];
  let before = parts.gradient;
  for (const {link, slots, update} of parts.links) {
    const same = update.every((v, k) => v === before[k]);
    body.push(make("tr.link", {}, make("th", {scope: "rowgroup", colspan: 3}, make("code", {}, link), same ? make("span.quiet", {}, " changes nothing here") : "")));
    for (const [slot, values] of slots) body.push(row(slot, "state", values, "state"));
    if (!same) body.push(row("hands on", "", update, "update"));
    before = update;
  }
  body.push(make("tr.link", {}, make("th", {scope: "rowgroup", colspan: 3}, "What comes out")), row("step", "", parts.step, "step"));
  body.push(row("step ÷ gradient", "", parts.step.map((s, k) => s / parts.gradient[k]), "ratio"));
  find("anatomy").replaceChildren(make("table", {},
    make("caption", {}, `The bars of a row share one scale; each row has its own.`),
    make("thead", {}, make("tr", {}, make("td", {}), make("th", {scope: "col"}, "w₁ (across)"), make("th", {scope: "col"}, "w₂ (up)"))),
    make("tbody", {}, body)));
}

function row(label, note, values, kind) {
  const most = Math.max(...values.map(v => Number.isFinite(v) ? Math.abs(v) : 0));
  return make(`tr.${kind}`, {},
    make("th", {scope: "row"}, kind === "state" ? make("code", {}, label) : label, note ? make("span.quiet", {}, ` ${note}`) : ""),
    values.map(v => {
      const long = most && Number.isFinite(v) ? 50 * Math.abs(v) / most : 0;
      const bar = make("span.bar", {"aria-hidden": "true"}, make("span", {style: `width:${long.toFixed(2)}%;${v < 0 ? "right" : "left"}:50%`}));
      return make("td", {}, bar, make("span.figure", {}, Number.isNaN(v) ? "–" : said(v)));
    }));
}
