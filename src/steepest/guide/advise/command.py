"""`steepest advise`: the arguments, and what is printed.

steepest advise --family transformer-lm --params 124M --batch 256 --memory 24GB --steps 20000 --tuning-budget 10
steepest advise my_model.py:make --batch 64        the model that a function of a file makes
"""

import argparse
import json
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from steepest.errors import GuideError
from steepest.guide.advise.situation import as_option
from steepest.guide.facts.fact import FAMILIES


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `steepest advise`."""
    add = parser.add_argument
    add("model", nargs="?", metavar="FILE:FUNCTION", help="a function that makes the model, such as my_model.py:make; or say what it is:")
    add("--family", help=f"the kind of model: {', '.join(FAMILIES)}")
    add("--params", metavar="N", help="how many parameters, such as 124M")
    add("--trainable", metavar="N", help="how many of them are trained, if not all")
    add("--batch", metavar="N", help="examples, or sequences, a step")
    add("--sequence-length", metavar="N", help="tokens a sequence (512)")
    add("--steps", metavar="N", help="steps of the whole run (10000)")
    add("--memory", metavar="SIZE", help="of the device, such as 24GB")
    add("--tuning-budget", metavar="N", help="full-length runs that may be spent on tuning (5)")
    add("--dtype", help="of the weights: float32, bf16, ...")
    add("--fine-tuning", action="store_true", help="the model is pre-trained")
    add("--lora", action="store_true", help="only low-rank adapters are trained")
    add("--no-batch-norm", action="store_true", help="a convolutional network without BatchNorm")
    add("--tuned", metavar="FOUND", help="what is tuned already, such as 'adamw lr=3e-4 weight_decay=0.1': the others follow from it")
    add("--long", action="store_true", help="every reason, figure and disagreement in full")
    add("--json", action="store_true", help="print the same as data")
    add("--race", action="store_true", help="start the race that would settle it, into the folder advised-race")


def run(args: argparse.Namespace) -> int:
    """Print the advice; start the race if asked to. Returns the exit status."""
    if args.json and args.race:
        raise GuideError("--json and --race contradict each other: a race writes to the terminal. The data has its command, under race.")
    from steepest.guide.advise import racing, text
    from steepest.guide.advise.advising import advise

    advice = advise(
        None if args.model is None else load(args.model),
        family=args.family,
        params=args.params,
        trainable=args.trainable,
        batch=args.batch,
        sequence_length=args.sequence_length,
        memory=args.memory,
        steps=args.steps,
        tuning_budget=args.tuning_budget,
        dtype=args.dtype,
        fine_tuning=args.fine_tuning,
        lora=args.lora,
        batch_norm=False if args.no_batch_norm else None,
        tuned=args.tuned,
        typed=as_option,
    )
    if args.race and not advice.race_arguments:
        raise GuideError(
            f"--race: no task of the race is {advice.title}. Write your own, and race on it: "
            f"{racing.on_own_task([p.optimizer for p in advice.picks])}"
        )
    sys.stdout.write(json.dumps(advice.as_data(), indent=2) + "\n" if args.json else text.page(advice, args.long))
    return _race(advice.race_arguments) if args.race else 0


def _race(arguments: tuple[str, ...]) -> int:
    from steepest.race import command

    parser = argparse.ArgumentParser(prog="steepest race")
    command.add_arguments(parser)
    sys.stdout.write("\n")
    sys.stdout.flush()
    return command.run(parser.parse_args(arguments))


def load(source: str) -> Any:
    """The model that a function of a file makes."""
    name, _, function = source.rpartition(":")
    path = Path(name).expanduser()
    if not name or not function.isidentifier():
        raise GuideError(f"{source}: write the file and a function in it that makes the model, such as my_model.py:make.")
    if not path.is_file():
        raise GuideError(f"{source}: there is no file {path}.")
    spec = spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise GuideError(f"{source}: {path} is no Python file; its name must end in .py.")
    module = module_from_spec(spec)
    sys.modules.setdefault(path.stem, module)
    sys.path.append(str(path.parent.resolve()))
    try:
        spec.loader.exec_module(module)
        make = getattr(module, function)
        return make()
    except Exception as error:
        raise GuideError(f"{source}: it cannot be made: {type(error).__name__}: {error}.") from error
