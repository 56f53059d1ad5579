// The strategy of a runner as Python to paste.

function pythonOf(runner) {
  const nodes = nodesOf(runner);
  const use = "\n# PyTorch: opt = steepest.torch.Optimizer(model.parameters(), strategy)\n";
  if (!runner.links) {
    const preset = PRESETS[runner.preset];
    const given = {...preset.fixed};
    for (const name of Object.keys(preset.arguments)) if (valueOf(runner, name) !== preset.defaults[name]) given[name] = valueOf(runner, name);
    return `import steepest\n\nstrategy = steepest.${preset.name}(${keywords(given)})\n${use}`;
  }
  const chained = `chain(\n${runner.links.map(n => `    ${callOf(n)},\n`).join("")})`;
  const around = runner.lookahead && keywords(changed(nodes[0]));
  const whole = runner.lookahead ? `Lookahead(${chained}${around && `, ${around}`})` : chained;
  const names = [...new Set([...(runner.lookahead ? ["Lookahead"] : []), ...runner.links.map(n => n.link)])].sort();
  return `import steepest\nfrom steepest import ${[...names, "chain"].join(", ")}\n\nstrategy = ${whole}\n${use}`;
}

const callOf = node => `${node.link}(${keywords(changed(node))})`;

/** The fields that are not at their default, and those that have none. */
function changed(node) {
  const {fields, required} = LINKS[node.link];
  return Object.fromEntries(Object.entries(node.fields).filter(([name, value]) => required.includes(name) || value !== fields[name].default));
}

const keywords = given => Object.entries(given).map(([name, value]) => `${name}=${literal(value)}`).join(", ");
const literal = value => value === true ? "True" : value === false ? "False" : String(value);
