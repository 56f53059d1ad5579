"""All of it in one call: from a model or from plain facts about it to advice."""

from typing import Any

from steepest.errors import GuideError
from steepest.guide import candidates, choosing, families, inventory, racing, tables
from steepest.guide.advice import Advice, Other, Pick
from steepest.guide.choosing import Ranked
from steepest.guide.circumstances import Around, Circumstance, around
from steepest.guide.facts import FAMILIES, Fact, fact
from steepest.guide.families import Seen
from steepest.guide.inventory import Inventory
from steepest.guide.memory import Memory, memory, written
from steepest.guide.scaling import Note, start
from steepest.guide.situation import TASKS_OF_TRAINING, Situation, Typed, as_argument, count, size, tuned
from steepest.guide.situation import dtype as read_dtype
from steepest.guide.situation import family as read_family

USUAL_STEPS = 10_000
USUAL_BUDGET = 5
LORA_SHARE = 0.005
"""The share of weights that adapters add, where nobody says."""
AUXILIARY = 3
"""How many outsiders are named."""


def advise(
    model: Any = None,
    *,
    family: str | None = None,
    params: Any = None,
    trainable: Any = None,
    batch: Any = None,
    sequence_length: Any = None,
    memory: Any = None,
    steps: Any = None,
    tuning_budget: Any = None,
    dtype: Any = None,
    fine_tuning: bool = False,
    lora: bool = False,
    batch_norm: bool | None = None,
    tuned: str | None = None,
    typed: Typed = as_argument,
) -> Advice:
    """See `steepest.advise`; `typed` says how errors spell an argument."""
    numbers = {"params": params, "trainable": trainable, "batch": batch, "sequence_length": sequence_length, "steps": steps}
    asked = _Question(typed, {k: v for k, v in numbers.items() if v is not None})
    if dtype is not None:
        dtype = read_dtype(dtype, typed)
    found = None if model is None else inventory.of(model, dtype)
    seen = None if found is None else families.see(found)
    asked.kind(family, seen, fine_tuning, lora)
    asked.sizes(found, dtype or (found and _dtype_of(found)) or "float32")
    asked.rest(memory, tuning_budget, batch_norm, seen)
    known = _tuned(tuned, typed)
    return _answer(asked.situation(), asked.inventory, asked.seen_as, known, _warnings(seen, asked.notes), typed)


def _tuned(text: str | None, typed: Typed) -> tuple[str, dict[str, float]] | None:
    return tuned(text, dict.fromkeys(candidates.names()), typed)


class _Question:
    """What was asked, completed step by step by what was seen and by what is usual."""

    def __init__(self, typed: Typed, numbers: dict[str, Any]) -> None:
        self.typed, self.numbers = typed, numbers
        self.assumed: list[str] = []
        self.notes: list[Note] = []
        self.seen_as = ""

    def kind(self, family: str | None, seen: Seen | None, fine_tuning: bool, lora: bool) -> None:
        """Family, and the kind of model beneath fine-tuning."""
        said = None if family is None else read_family(family, self.typed)
        rule = None if seen is None else families.detect(seen)
        base = said if said not in (None, *TASKS_OF_TRAINING) else None
        if base is None and rule is not None:
            base, self.seen_as = rule.family, rule.says
        way = "lora" if lora or said == "lora" else "fine-tuning" if fine_tuning or said == "fine-tuning" else None
        if seen is not None and way is None and seen.lora:
            way = "lora"
            self.assumed.append("LoRA, as most weights are frozen and those trained are called lora")
        elif seen is not None and way is None and seen.frozen > 0.5:
            way = "fine-tuning"
            self.assumed.append(f"fine-tuning, as {seen.frozen:.0%} of the weights are frozen")
        if base is None and way is not None:
            base = "transformer-lm"
            other = self.typed("family", "vision-transformer")
            self.assumed.append(f"{tables.families()[way].title} of a Transformer language model ({other} if of another)")
        if base is None:
            example = self.typed("family", "cnn")
            what = "Which kind of model is it?" if seen is None else "What kind of model this is cannot be told from its layers."
            raise GuideError(f"{what} Write {example}, for example; there are: {', '.join(FAMILIES)}.")
        self.base, self.family = base, way or base

    def sizes(self, found: Inventory | None, dtype: str) -> None:
        """Parameters, those trained, and the arrays."""
        self.dtype = dtype
        given = {k: count(self.numbers[k], k, self.typed) for k in ("params", "trainable") if k in self.numbers}
        if found is not None:
            for key, mine in (("params", found.parameters), ("trainable", found.trainable)):
                if key in given and abs(given[key] - mine) > 0.02 * mine:
                    raise GuideError(
                        f"{self.typed(key, self.numbers[key])} and the model contradict each other: it has {mine:,}. Leave out {key}."
                    )
            self.inventory, self.parameters, self.trained = found, found.parameters, found.trainable
            return
        if "params" not in given:
            raise GuideError(f"How many parameters has the model? Write {self.typed('params', '124M')}.")
        self.parameters = given["params"]
        if "trainable" not in given and self.family == "lora":
            given["trainable"] = max(round(LORA_SHARE * self.parameters), 1)
            self.assumed.append(f"{LORA_SHARE:.1%} of the weights trained ({self.typed('trainable', '4M')})")
        self.trained = given.get("trainable", self.parameters)
        if self.trained > self.parameters:
            raise GuideError(
                f"{self.typed('trainable', self.numbers['trainable'])} and {self.typed('params', self.numbers['params'])} contradict each "
                "other: more weights cannot be trained than there are."
            )
        self.inventory = inventory.of_flags(self.parameters, self.trained, dtype)

    def rest(self, memory: Any, budget: Any, batch_norm: bool | None, seen: Seen | None) -> None:
        """Batch, length, memory, budget."""
        row = tables.families()[self.family]
        self.batch = self._or("batch", row.usual_batch, "32")
        self.steps = self._or("steps", USUAL_STEPS, "20000")
        if "steps" not in self.numbers:
            self.notes.append(
                Note("where the end is open, a constant rate with a cooldown does as well as a cosine", ("cooldown-equals-cosine",))
            )
        self.sequence = 1
        if self.base == "transformer-lm":
            self.sequence = self._or("sequence_length", row.usual_sequence, "512", "tokens a sequence")
        elif "sequence_length" in self.numbers:
            self._or("sequence_length", 1, "512")
            self.notes.append(Note("the sequence length plays no part for this kind of model", ()))
        self.memory = None if memory is None else size(memory, "memory", self.typed)
        self.budget = USUAL_BUDGET if budget is None else count(budget, "tuning_budget", self.typed, least=0, example="10")
        if budget is None:
            self.assumed.append(f"{USUAL_BUDGET} runs to tune with ({self.typed('tuning_budget', USUAL_BUDGET)})")
        self.batch_norm = batch_norm if batch_norm is not None else seen is None or "batch norm" in seen
        if self.base == "cnn" and seen is None and batch_norm is None:
            flag = "--no-batch-norm" if self.typed is not as_argument else "batch_norm=False"
            self.assumed.append(f"BatchNorm ({flag} if it has none)")

    def _or(self, flag: str, usual: int, example: str, called: str = "") -> int:
        if flag in self.numbers:
            return count(self.numbers[flag], flag, self.typed, example=example)
        self.assumed.append(f"{usual:,} {called or {'batch': 'examples a batch', 'steps': 'steps'}[flag]} ({self.typed(flag, usual)})")
        return usual

    def situation(self) -> Situation:
        return Situation(
            family=self.family,
            base=self.base,
            parameters=self.parameters,
            trainable=self.trained,
            batch=self.batch,
            sequence=self.sequence,
            steps=self.steps,
            budget=self.budget,
            memory=self.memory,
            dtype=self.dtype,
            batch_norm=self.batch_norm,
            assumed=tuple(self.assumed),
        )


def _dtype_of(found: Inventory) -> str:
    """What most of the weights are stored as, by their size alone where that is all there is to see."""
    held: dict[int, int] = {}
    for a in found.arrays:
        held[a.itemsize] = held.get(a.itemsize, 0) + a.size
    return {8: "float64", 4: "float32", 2: "bfloat16"}.get(max(held, key=lambda k: held[k]), "float32")


def _warnings(seen: Seen | None, notes: list[Note]) -> tuple[Note, ...]:
    if seen is not None and seen.sparse:
        which = ", ".join(seen.sparse[:3])
        notes.append(Note(f"{which}: sparse gradients, which Steepest refuses; make the embedding with sparse=False", ()))
    return tuple(notes)


def _answer(
    s: Situation, found: Inventory, seen_as: str, known: tuple[str, dict[str, float]] | None, notes: tuple[Note, ...], typed: Typed
) -> Advice:
    lightest, heaviest = (memory(found, candidates.strategy(name, {})) for name in ("sgd", "adamw"))
    _fits_at_all(s, lightest, typed)
    holding = around(Around(s, heaviest.total))
    ranking = choosing.ranked(s, holding)
    needs = {r.optimizer: memory(found, candidates.strategy(r.optimizer, {})) for r in ranking}
    fitting = [r for r in ranking if s.memory is None or needs[r.optimizer].total <= s.memory]
    left_out = {
        r.optimizer: f"needs {written(needs[r.optimizer].total)}, {written(s.memory or 0)} are there" for r in ranking if r not in fitting
    }
    if not fitting:
        fitting = [Ranked("sgd", 0.0, ("memory-ladder",), (), tuple(c for c in holding if c.name == "tight memory"))]
        needs["sgd"] = lightest
    chosen = fitting[: choosing.SHORT]
    picks = tuple(_pick(r, s, holding, known, needs[r.optimizer]) for r in chosen)
    others = tuple(
        Other(o.name, o.title, o.peer, o.note, _facts(o.in_favour), _facts(o.against))
        for o in choosing.outsiders(s, holding, lightest)[:AUXILIARY]
    )
    cited = [f for p in (*picks, *others) for f in (*p.in_favour, *p.against)] + [
        fact(i) for p in picks for n in p.start.notes for i in n.facts
    ]
    arguments = racing.arguments(s, [p.optimizer for p in picks])
    return Advice(
        situation=s,
        title=_title(s),
        seen=seen_as,
        picks=picks,
        others=others,
        left_out=left_out,
        conflicts=tuple(pair for pair in choosing.conflicts(cited) if all(choosing.holds_for(f, s) for f in pair)),
        notes=(*notes, *_general(s, holding)),
        race=racing.command(arguments),
        race_arguments=arguments,
    )


def _title(s: Situation) -> str:
    rows = tables.families()
    return rows[s.family].title if s.family == s.base else f"{rows[s.family].title} of {rows[s.base].title}"


def _pick(r: Ranked, s: Situation, holding: tuple[Circumstance, ...], known: tuple[str, dict[str, float]] | None, needs: Memory) -> Pick:
    begin = start(r.optimizer, s, frozenset(c.name for c in holding), known)
    in_favour = (*_facts(r.in_favour), *choosing.measured(r.optimizer, s, "for"))
    made = candidates.strategy(r.optimizer, {**begin.arguments, "lr": begin.schedule}, begin.clip)
    return Pick(
        optimizer=r.optimizer,
        title=tables.candidates()[r.optimizer].title,
        start=begin,
        strategy=made,
        memory=needs,
        in_favour=in_favour,
        against=(*_facts(r.against), *choosing.measured(r.optimizer, s, "against")),
        because=tuple(c.says for c in r.because),
        grade=min((f.grade for f in in_favour), default="D"),
        thin=not any(f.grade in "AB" and choosing.specific(f, s) for f in in_favour),
    )


def _facts(ids: tuple[str, ...]) -> tuple[Fact, ...]:
    return tuple(map(fact, ids))


def _general(s: Situation, holding: tuple[Circumstance, ...]) -> tuple[Note, ...]:
    notes: list[Note] = []
    if s.dtype in ("bfloat16", "float16"):
        short = {"bfloat16": "1/256", "float16": "1/2048"}[s.dtype]
        lost = f"and steps below {short} of a weight are lost; float32 weights under autocast keep them"
        notes.append(Note(f"{s.dtype} weights have {s.dtype} gradients and state, {lost}", ()))
    if any(c.name == "float16" for c in holding):
        notes.append(Note("bfloat16 is steadier than float16", ("use-bfloat16-not-float16",)))
    if any(c.name == "tiny batch" for c in holding):
        notes.append(Note("do not accumulate gradients on one device", ("small-batches-robust",)))
    return tuple(notes)


def _fits_at_all(s: Situation, lightest: Memory, typed: Typed) -> None:
    """Memory below the weights, or below weights and gradients, is refused: no optimizer helps there."""
    if s.memory is None or lightest.weights + lightest.gradients <= s.memory:
        return
    said = typed("memory", written(s.memory).replace(" ", ""))
    lighter = [typed("dtype", "bf16")] if s.dtype in ("float32", "float64") else []
    if s.memory < lightest.weights:
        raise GuideError(
            f"{said} does not hold the weights alone: {s.parameters:,} of {s.dtype} take {written(lightest.weights)}. "
            f"Give more memory{' or ' + lighter[0] if lighter else ''}, or split the model over devices."
        )
    ways = [*lighter, *(["--lora" if typed is not as_argument else "lora=True"] if s.family != "lora" else [])]
    raise GuideError(
        f"{said} holds the weights ({written(lightest.weights)}) but not their gradients ({written(lightest.gradients)}), "
        f"so that no optimizer fits, whatever its state. Ways out: {', '.join([*ways, 'more memory'])}."
    )
