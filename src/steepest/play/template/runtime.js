// A strategy: links in order, each of which hands the update on, as Chain and Lookahead do in Python. No arithmetic
// stands here: RULES holds the functions that codegen printed, LINKS what Python knows of them.

/** Nodes ({link, fields, inner?}) with their state, ready to step tensors ({param, grad}, arrays of float64). */
function strategy(nodes, tensors) {
  for (const t of tensors) Object.assign(t, {u: t.grad.slice(), next: t.param.slice()});
  return {tensors, links: nodes.map(node => bound(node, tensors)), count: 0};
}

function bound(node, tensors) {
  const {slots, switches} = LINKS[node.link];
  const views = tensors.map(({param, grad, u, next}) => {
    const state = Object.entries(slots).map(([slot, from]) => [slot, from === "param" ? param.slice() : new Float64Array(param.length)]);
    return {param, grad, u, next, inner: u, ...Object.fromEntries(state)};
  });
  const bits = switches.map(name => node.fields[name] ? "1" : "0").join("");
  return {node, views, rule: RULES[bits ? `${node.link}_${bits}` : node.link], inner: node.inner && node.inner.map(n => bound(n, tensors))};
}

/** One step with the gradients that lie in the tensors. `watch(link)` is told after each link. */
function step(strategy, watch) {
  strategy.count += 1;
  for (const t of strategy.tensors) t.u.set(t.grad);
  handOn(strategy.links, strategy.count, watch);
  for (const t of strategy.tensors) t.param.set(t.next);
}

function handOn(links, count, watch) {
  for (const link of links) {
    if (link.inner) handOn(link.inner, count, watch);
    link.rule(link.views, link.node.fields, count);
    if (watch) watch(link);
  }
}
