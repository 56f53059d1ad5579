// Runs: a strategy let loose on a surface, and one step of it taken apart.

/** What happened: the places and losses from the start on, and why and when it ended early (null: it did not). */
function run(nodes, surface, start, steps) {
  const walk = walker(nodes, surface, start);
  const far = 1000 * (surface.x[1] - surface.x[0]);
  const x = [], y = [], loss = [];
  for (let t = 0; t <= steps; t++) {
    const [px, py] = walk.param;
    const value = surface.f(px, py);
    x.push(px); y.push(py); loss.push(value);
    if (!(Number.isFinite(value) && Math.hypot(px, py) < far)) return {x, y, loss, ended: "diverged", last: t};
    if (!surface.inside(px, py)) return {x, y, loss, ended: "left", last: t};
    if (t < steps) walk.step();
  }
  return {x, y, loss, ended: null, last: steps};
}

/** Step `t` (1 is the first): the gradient, what each link made of it, the step. */
function anatomy(nodes, surface, start, t) {
  const walk = walker(nodes, surface, start), links = [];
  for (let i = 1; i < t; i++) walk.step();
  const before = [...walk.param];
  walk.step(({node, views: [own]}) => {
    const slots = Object.keys(LINKS[node.link].slots).map(slot => [slot, [...own[slot]]]);
    links.push({link: node.link, slots, update: [...own.u]});
  });
  return {gradient: [...walk.grad], links, step: [0, 1].map(k => walk.param[k] - before[k])};
}

function walker(nodes, surface, start) {
  const param = Float64Array.from(start), grad = new Float64Array(2);
  const own = strategy(nodes, [{param, grad}]);
  return {
    param, grad,
    step(watch) {
      const slope = surface.gradient(param[0], param[1]);
      for (const k of [0, 1]) grad[k] = slope[k] + surface.noise(own.count + 1, k);
      step(own, watch);
    },
  };
}

/** How far a rule walks in the long run for each unit of slope and of its learning rate: 1 for plain descent, 10 with momentum 0.9. */
function gain(nodes, lr) {
  const tensor = {param: new Float64Array(2), grad: new Float64Array(2)}, own = strategy(nodes, [tensor]), steps = 100;
  for (let t = 0; t < steps; t++) {
    tensor.grad.set([1 + normal(0, t, 0), 1 + normal(0, t, 1)]);
    step(own);
  }
  return Math.abs(tensor.param[0] + tensor.param[1]) / (2 * steps * lr);
}

/** Whether the length of a rule's step ignores the size of the gradient: tried with a gradient a hundred times as large. */
function ignoresSize(nodes) {
  const [small, large] = [1, 100].map(size => {
    const tensor = {param: new Float64Array(2), grad: new Float64Array([0.01 * size, -0.02 * size])};
    const own = strategy(nodes, [tensor]);
    for (let i = 0; i < 3; i++) step(own);
    return Math.hypot(...tensor.param);
  });
  return large < 5 * small;
}

/** The loss at the end of a run for every learning rate of a slider; NaN where the run did not reach its end. */
function sweep(nodesWith, spec, surface, start, steps, count = 61) {
  return Array.from({length: count}, (_, i) => {
    const lr = Number((spec.low * (spec.high / spec.low) ** (i / (count - 1))).toPrecision(2));
    const {loss, ended} = run(nodesWith(lr), surface, start, steps);
    const late = loss.slice(-Math.max(1, Math.floor(steps / 10))).sort((a, b) => a - b);
    return {lr, loss: ended ? NaN : late[late.length >> 1]}; // the median of the last tenth: one lucky step is no result
  });
}
