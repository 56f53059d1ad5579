"""Situations with the short list that the evidence asks for, and the facts that are the reason.

Reviewed against the benchmarks that the facts cite. Each row says which short list, in which order; which facts must be
among the reasons of the first; which must speak against it; and what should be named that Steepest does not have.
"""

from typing import Any, NamedTuple

import pytest

from steepest.guide.advise.advising import advise


class Profile(NamedTuple):
    name: str
    asked: dict[str, Any]
    short: tuple[str, ...]
    why: tuple[str, ...]
    """Facts in favour of the first."""
    but: tuple[str, ...] = ()
    """Facts against the first."""
    others: tuple[str, ...] = ()
    thin: bool = False


PROFILES = [
    # Language models
    Profile(
        "LM of 124M, usual batch, ten trials: the reference first, its Nesterov form, Lion; Muon and SOAP outside, and the conflict shown",
        {"family": "transformer-lm", "params": "124M", "batch": 256, "memory": "24GB", "steps": 20_000, "tuning_budget": 10},
        ("adamw", "nadamw", "lion"),
        ("adamw-is-the-reference", "adamw-lr-is-the-lever"),
        ("matrix-methods-lead", "ademamix-best-epfl"),
        ("muon", "soap"),
    ),
    Profile(
        "LM at one sequence a step: SGD competes, Adafactor outside",
        {"family": "transformer-lm", "params": "30M", "batch": 1, "steps": 100_000, "tuning_budget": 5},
        ("adamw", "nadamw", "sgd"),
        ("adamw-is-the-reference",),
        others=("adafactor", "muon", "soap"),
    ),
    Profile(
        "LM at batch 16: Lion is no choice at small batches",
        {"family": "transformer-lm", "params": "124M", "batch": 16, "steps": 50_000, "tuning_budget": 5},
        ("adamw", "nadamw", "adam"),
        ("adamw-is-the-reference",),
        others=("adafactor", "muon", "soap"),
    ),
    Profile(
        "LM at a million tokens a batch: AdEMAMix and MARS worth racing",
        {"family": "transformer-lm", "params": "350M", "batch": 2048, "steps": 20_000, "tuning_budget": 5},
        ("adamw", "nadamw", "lion"),
        ("adamw-is-the-reference",),
        ("matrix-methods-lead",),
        ("ademamix", "mars", "muon"),
    ),
    Profile(
        "LM of 1.3B: Lion scales poorly and comes last",
        {"family": "transformer-lm", "params": "1.3B", "batch": 1024, "steps": 100_000, "tuning_budget": 3, "memory": "80GB"},
        ("adamw", "nadamw", "adam"),
        ("adamw-is-the-reference",),
        others=("ademamix", "mars", "muon"),
    ),
    Profile(
        "LM of 7B in 80 GB, bfloat16: Adam's state does not leave room, Lion's does",
        {"family": "transformer-lm", "params": "7B", "batch": 512, "dtype": "bf16", "memory": "80GB", "tuning_budget": 2},
        ("adamw", "nadamw", "lion"),
        ("adamw-is-the-reference",),
    ),
    Profile(
        "LM of 1B in 14 GB: Adam does not fit, Lion does",
        {"family": "transformer-lm", "params": "1B", "batch": 512, "memory": "14GB", "tuning_budget": 5},
        ("lion",),
        ("choose-by-memory", "memory-ladder", "lion-half-the-state"),
        ("lion-scales-poorly-720m",),
    ),
    Profile(
        "LM of 500M in 10 GB: Adam's state would leave little for activations, so Lion first, if only by memory",
        {"family": "transformer-lm", "params": "500M", "batch": 256, "memory": "10GB", "tuning_budget": 10},
        ("lion", "adamw", "nadamw"),
        ("choose-by-memory", "lion-parity"),
        ("lion-lr-curve", "lion-long-warmup"),
        ("adafactor", "muon"),
    ),
    Profile(
        "LM in float16: Lion gave nans",
        {"family": "transformer-lm", "params": "124M", "batch": 256, "dtype": "float16", "tuning_budget": 5},
        ("adamw", "nadamw", "adam"),
        ("adamw-is-the-reference",),
    ),
    Profile(
        "LM without a trial to spare: NAdamW, which did without tuning in AlgoPerf",
        {"family": "transformer-lm", "params": "124M", "batch": 256, "tuning_budget": 0},
        ("nadamw", "adamw", "adam"),
        ("nadamw-set-algoperf-targets", "several-at-defaults"),
        others=("schedule-free", "prodigy", "muon"),
    ),
    Profile(
        "LM far beyond Chinchilla: AdamW gains on SOAP; AdEMAMix for long runs",
        {"family": "transformer-lm", "params": "124M", "batch": 256, "steps": 400_000, "tuning_budget": 5},
        ("adamw", "nadamw", "lion"),
        ("adamw-overtakes-soap-in-long-runs", "b2-long-runs"),
        ("matrix-methods-lead",),
        ("ademamix", "muon", "soap"),
    ),
    Profile(
        "LM with tens of millions of tokens a batch: AdamW degrades there",
        {"family": "transformer-lm", "params": "3B", "batch": 30_000, "tuning_budget": 2},
        ("adamw", "nadamw", "adam"),
        ("adamw-is-the-reference",),
        ("adamw-degrades-at-huge-batch",),
    ),
    # Images
    Profile(
        "ResNet with BatchNorm and trials: Nesterov, which alone reached the target",
        {"family": "cnn", "params": "25.6M", "batch": 1024, "steps": 140_000, "tuning_budget": 20},
        ("nesterov", "adamw", "nadamw"),
        ("nesterov-resnet50-only-hit", "large-batch-generic-suffices"),
        ("choi-adaptive-never-worse",),
    ),
    Profile(
        "ResNet without tuning: Adam types need it less",
        {"family": "cnn", "params": "25.6M", "batch": 256, "tuning_budget": 0},
        ("nadamw", "adamw", "nesterov"),
        ("nadamw-set-algoperf-targets", "several-at-defaults"),
        ("adam-types-miss-resnet50",),
        ("schedule-free",),
        thin=True,
    ),
    Profile(
        "convolutions without BatchNorm: the evidence for SGD was with it",
        {"family": "cnn", "params": "28M", "batch": 256, "tuning_budget": 10, "batch_norm": False},
        ("adamw", "nadamw", "nesterov"),
        ("adamw-decoupled-decay", "adamw-is-the-reference"),
        thin=True,
    ),
    Profile(
        "small CNN in very little memory: Nesterov has half of Adam's state as well",
        {"family": "cnn", "params": "25M", "batch": 64, "memory": "500MB", "tuning_budget": 5},
        ("nesterov", "momentum", "adamw"),
        ("memory-ladder", "nesterov-resnet50-only-hit"),
    ),
    Profile(
        "ViT with trials: AdamW and NAdamW; Shampoo was twice as fast",
        {"family": "vision-transformer", "params": "86M", "batch": 1024, "steps": 140_000, "tuning_budget": 10},
        ("adamw", "nadamw", "lion"),
        ("adamw-is-the-reference",),
        ("shampoo-vit",),
        ("shampoo", "schedule-free"),
        thin=True,
    ),
    Profile(
        "ViT with a large budget: NAdamW is at least AdamW once everything is tuned",
        {"family": "vision-transformer", "params": "86M", "batch": 1024, "steps": 140_000, "tuning_budget": 30},
        ("adamw", "nadamw", "lion"),
        ("adamw-is-the-reference",),
        thin=True,
    ),
    Profile(
        "ViT at a small batch: no Lion",
        {"family": "vision-transformer", "params": "5M", "batch": 32, "tuning_budget": 10},
        ("adamw", "nadamw", "adam"),
        ("adamw-is-the-reference",),
        thin=True,
    ),
    # Others
    Profile(
        "LSTM: NAdamW with clipping; RMSProp is folklore, and raced",
        {"family": "recurrent", "params": "2M", "batch": 64, "tuning_budget": 10},
        ("nadamw", "adamw", "rmsprop"),
        ("rmsprop-not-needed-for-rnns",),
        ("amos-recurrent-and-speech",),
        ("amos",),
    ),
    Profile(
        "LSTM without tuning",
        {"family": "lstm", "params": "2M", "batch": 64, "tuning_budget": 0},
        ("nadamw", "adamw", "rmsprop"),
        ("nadamw-set-algoperf-targets", "several-at-defaults"),
        others=("schedule-free", "amos"),
    ),
    Profile(
        "graph network: NAdamW reached the target, matrix methods far sooner",
        {"family": "graph", "params": "600k", "batch": 512, "tuning_budget": 10},
        ("nadamw", "adamw", "adam"),
        ("nadamw-on-graphs",),
        ("graph-matrix-methods",),
        ("shampoo", "schedule-free"),
    ),
    Profile(
        "recommender: NAdamW, Shampoo and Schedule-Free outside",
        {"family": "recommender", "params": "500M", "batch": 65_536, "tuning_budget": 5, "memory": "40GB"},
        ("nadamw", "adamw", "adam"),
        ("nadamw-on-recommender",),
        ("recommender-shampoo-sf",),
        ("shampoo", "schedule-free"),
    ),
    Profile(
        "recommender whose tables leave no room for Adam: what has one array or none",
        {"family": "recommender", "params": "500M", "batch": 65_536, "memory": "7GB"},
        ("rmsprop",),
        ("memory-ladder",),
        thin=True,
    ),
    Profile(
        "perceptron for tables: AdamW, averaged; Muon beats it there",
        {"family": "tabular", "params": "300k", "batch": 256, "tuning_budget": 20},
        ("adamw", "nadamw", "adam"),
        ("adamw-is-the-reference", "adamw-tuned-tabular-ema"),
        ("muon-tabular",),
        ("muon",),
    ),
    Profile(
        "plain perceptron: no benchmark is about it in particular",
        {"family": "mlp", "params": "200k", "batch": 128, "tuning_budget": 5},
        ("adamw", "nadamw", "nesterov"),
        ("adam-strong-contender",),
        ("no-winner-everywhere",),
        ("schedule-free",),
        thin=True,
    ),
    Profile(
        "a model of no known kind",
        {"family": "other", "params": "10M", "tuning_budget": 0},
        ("nadamw", "adamw", "rmsprop"),
        ("nadamw-set-algoperf-targets",),
        others=("prodigy", "schedule-free"),
        thin=True,
    ),
    # Training what is trained
    Profile(
        "fine-tuning a language model: AdamW with bias correction, at small rates; as it was pre-trained",
        {"family": "transformer-lm", "fine_tuning": True, "params": "110M", "batch": 32, "steps": 3000, "tuning_budget": 5},
        ("adamw", "adam", "nadamw"),
        ("finetuning-needs-bias-correction",),
        others=("adafactor",),
    ),
    Profile(
        "fine-tuning a ViT: SGD is as good with the embedding frozen",
        {"family": "vit", "fine_tuning": True, "params": "86M", "batch": 128, "tuning_budget": 5},
        ("adamw", "momentum", "adam"),
        ("adamw-finetunes-vision-better",),
        ("sgd-finetunes-vision-with-frozen-embedding",),
    ),
    Profile(
        "fine-tuning a ViT in tight memory: momentum needs 12 bytes a parameter where AdamW needs 16",
        {"family": "vit", "fine_tuning": True, "params": "300M", "batch": 64, "memory": "6GB", "tuning_budget": 5},
        ("sgd", "adamw", "momentum"),
        ("sgd-finetunes-vision-with-frozen-embedding", "memory-ladder"),
        ("adamw-finetunes-vision-better",),
    ),
    Profile(
        "fine-tuning an LM in tight memory: Lion has half the state, Adafactor outside next to none",
        {"family": "transformer-lm", "fine_tuning": True, "params": "1B", "batch": 64, "memory": "20GB", "tuning_budget": 5},
        ("adamw", "lion", "adam"),
        ("finetuning-needs-bias-correction",),
        others=("adafactor",),
    ),
    Profile(
        "LoRA of 7B in 24 GB, small batches: state is of the adapters alone; ten times the rate of full fine-tuning",
        {"family": "lora", "params": "7B", "dtype": "bf16", "memory": "24GB", "batch": 16, "tuning_budget": 5},
        ("adamw", "nadamw"),
        ("lora-lr-ten-times",),
        ("lora-small-batches",),
    ),
]


def test_there_are_enough_profiles() -> None:
    assert len(PROFILES) >= 25
    assert len({p.name for p in PROFILES}) == len(PROFILES)


@pytest.mark.parametrize("profile", PROFILES, ids=lambda p: p.name)
def test_the_short_list_is_what_the_evidence_asks_for(profile: Profile) -> None:
    advice = advise(**profile.asked)
    assert tuple(p.optimizer for p in advice.picks) == profile.short
    best = advice.best
    assert set(profile.why) <= {f.id for f in best.in_favour}
    assert set(profile.but) <= {f.id for f in best.against}
    assert tuple(o.name for o in advice.others) == profile.others or not profile.others
    assert best.thin == profile.thin
    if advice.situation.memory is not None:
        assert all(p.memory.total <= advice.situation.memory for p in advice.picks)
