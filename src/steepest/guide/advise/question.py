"""What was asked, completed by what is seen in the model and by what is usual; what contradicts itself is refused."""

from typing import Any

from steepest.errors import GuideError
from steepest.guide.advise import tables
from steepest.guide.advise.scaling import Note
from steepest.guide.advise.situation import TASKS_OF_TRAINING, Situation, Typed, as_argument, count, size
from steepest.guide.advise.situation import family as read_family
from steepest.guide.facts import FAMILIES
from steepest.guide.model import families, inventory
from steepest.guide.model.families import Seen
from steepest.guide.model.inventory import Inventory

USUAL_STEPS = 10_000
USUAL_BUDGET = 5
LORA_SHARE = 0.005
"""The share of weights that adapters add, where nobody says."""


class Question:
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


def dtype_of(found: Inventory) -> str:
    """What most of the weights are stored as, by their size alone where that is all there is to see."""
    held: dict[int, int] = {}
    for a in found.arrays:
        held[a.itemsize] = held.get(a.itemsize, 0) + a.size
    return {8: "float64", 4: "float32", 2: "bfloat16"}.get(max(held, key=lambda k: held[k]), "float32")
