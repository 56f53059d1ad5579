"""The answer as code to paste, for three frameworks: one strategy, and the line that puts it on."""

from steepest.guide.advise import candidates
from steepest.guide.advise.advice import Pick

WIDTH = 94
FRAMEWORKS = {"torch": "PyTorch", "keras": "Keras", "optax": "optax"}


def strategy(pick: Pick) -> str:
    """The imports and the strategy: the same for every framework."""
    start, schedule = pick.start, pick.start.schedule
    kind = type(schedule).__name__
    links = [f"ClipByGlobalNorm({start.clip!r})"] * (start.clip is not None) + candidates.links(pick.optimizer, start.arguments, "schedule")
    chained = len(links) > 1
    names = {kind, *(["chain"] if chained else []), *(["ClipByGlobalNorm"] if start.clip is not None else [])}
    if pick.optimizer == "nadamw":
        names |= {"AddDecayedWeights", "ScaleByAdam", "ScaleByLearningRate"}
    lines = ["import steepest"] if pick.optimizer != "nadamw" else []
    lines += [*_imports(sorted(names, key=lambda n: (n.islower(), n))), ""]
    lines += [f"schedule = {kind}({schedule.peak!r}, steps={schedule.steps:_}, warmup={schedule.warmup:_}, floor={schedule.floor!r})"]
    one_line = f"strategy = chain({', '.join(links)})" if chained else f"strategy = {links[0]}"
    lines += [one_line] if len(one_line) <= WIDTH else ["strategy = chain(", *(f"    {link}," for link in links), ")"]
    return "\n".join(lines) + "\n"


def _imports(names: list[str]) -> list[str]:
    """On one line, or two where that would be long."""
    one = f"from steepest import {', '.join(names)}"
    half = (len(names) + 1) // 2
    return [one] if len(one) <= WIDTH else [*_imports(names[:half]), *_imports(names[half:])]


def face(pick: Pick, framework: str) -> str:
    """The lines of one framework; they take `model` (optax: `params`) and leave `optimizer`."""
    decays = bool(pick.start.arguments.get("weight_decay"))
    if framework == "torch":
        if not decays:
            groups = ["optimizer = Optimizer([p for p in model.parameters() if p.requires_grad], strategy)"]
        else:
            groups = [
                "trained = [p for p in model.parameters() if p.requires_grad]",
                "optimizer = Optimizer(",
                '    [{"params": [p for p in trained if p.ndim > 1]},',
                '     {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0}],  # biases and norms',
                "    strategy,",
                ")",
            ]
        return "\n".join(["from steepest.torch import Optimizer", "", *groups]) + "\n"
    if framework == "keras":
        return "from steepest.keras import Optimizer\n\noptimizer = Optimizer(strategy)  # model.compile(optimizer=optimizer, loss=...)\n"
    if not decays:
        return "from steepest.optax import transform\n\noptimizer = transform(strategy)\nstate = optimizer.init(params)\n"
    lines = [
        "import jax",
        "from steepest.optax import transform",
        "",
        "matrices = jax.tree.map(lambda p: p.ndim > 1, params)  # no decay of biases and norms",
        "optimizer = transform(strategy, decay_mask=matrices)",
        "state = optimizer.init(params)",
    ]
    return "\n".join(lines) + "\n"


def whole(pick: Pick, framework: str) -> str:
    """A program that stands alone but for the model."""
    if framework not in FRAMEWORKS:
        from steepest.errors import GuideError

        raise GuideError(f"There is code for {', '.join(FRAMEWORKS)}, not for {framework!r}.")
    first, second = strategy(pick), face(pick, framework)
    imports = [line for part in (first, second) for line in part.splitlines() if line.startswith(("import ", "from "))]
    body = [line for part in (first, second) for line in part.splitlines() if line and not line.startswith(("import ", "from "))]
    return "\n".join([*sorted(imports, key=lambda i: (i.startswith("from"), i)), "", *body]) + "\n"
