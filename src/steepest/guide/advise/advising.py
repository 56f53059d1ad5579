"""All of it in one call: from a model or from plain facts about it to advice."""

from typing import Any

from steepest.errors import GuideError
from steepest.guide.advise import candidates, choosing, racing, tables
from steepest.guide.advise.advice import Advice, Other, Pick
from steepest.guide.advise.choosing import Ranked
from steepest.guide.advise.circumstances import Around, Circumstance, around
from steepest.guide.advise.question import Question, dtype_of
from steepest.guide.advise.scaling import Note, start
from steepest.guide.advise.situation import Situation, Typed, as_argument, tuned
from steepest.guide.advise.situation import dtype as read_dtype
from steepest.guide.facts import Fact, fact
from steepest.guide.model import families, inventory
from steepest.guide.model.families import Seen
from steepest.guide.model.inventory import Inventory
from steepest.guide.model.memory import Memory, memory, written

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
    asked = Question(typed, {k: v for k, v in numbers.items() if v is not None})
    if dtype is not None:
        dtype = read_dtype(dtype, typed)
    found = None if model is None else inventory.of(model, dtype)
    seen = None if found is None else families.see(found)
    asked.kind(family, seen, fine_tuning, lora)
    asked.sizes(found, dtype or (found and dtype_of(found)) or "float32")
    asked.rest(memory, tuning_budget, batch_norm, seen)
    known = _tuned(tuned, typed)
    return _answer(asked.situation(), asked.inventory, asked.seen_as, known, _warnings(seen, asked.notes), typed)


def _tuned(text: str | None, typed: Typed) -> tuple[str, dict[str, float]] | None:
    return tuned(text, dict.fromkeys(candidates.names()), typed)


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
