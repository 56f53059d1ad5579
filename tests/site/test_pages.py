"""The pages before they are built: what is generated, whether it runs, where its links go."""

import argparse
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from scripts.site import choices, claims, commands, optimizers, reference
from scripts.site.pages import filled, pages

import steepest
from steepest import ScaleByLearningRate, cli, registry
from steepest.guide.advise import tables
from steepest.guide.claims import Verdict
from tests import documents

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
WRITTEN = {p.relative_to(DOCS).as_posix(): filled(p.read_text()) for p in sorted(DOCS.rglob("*.md"))}
ALL = {**WRITTEN, **pages()}
#: its blocks are files of a user, and are run as such: tests/race/tasks/test_docs_race_your_own.py
ELSEWHERE = {"race-your-own.md"}
RUN = {name: text for name, text in ALL.items() if any(b.language == "python" for b in documents.blocks(text)) and name not in ELSEWHERE}
OF_KERAS = [name for name, text in RUN.items() if documents.wants_keras(text)]


@pytest.mark.parametrize("name", [name for name in RUN if name not in OF_KERAS])
def test_every_block_of_a_page_runs(name: str, tmp_path: Path) -> None:
    assert documents.run(RUN[name], tmp_path)


def test_every_block_of_a_page_with_keras_runs(tmp_path: Path) -> None:
    """In one process, whose Keras has PyTorch as its backend."""
    paths = []
    for name in OF_KERAS:
        paths.append(tmp_path / name.replace("/", "-"))
        paths[-1].write_text(RUN[name])
    environment = {**os.environ, "KERAS_BACKEND": "torch", "JAX_PLATFORMS": "cpu", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    program = [sys.executable, "-m", "tests.documents", *map(str, paths)]
    done = subprocess.run(program, check=False, capture_output=True, text=True, cwd=ROOT, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    assert len(done.stdout.splitlines()) == len(OF_KERAS) >= len(registry.optimizers()) + 1


SECTIONS = [
    "When to use it, and when not",
    "In three frameworks",
    "Hyperparameters",
    "Memory",
    "Formula",
    "The loop it becomes",
    "As a strategy",
    "Evidence",
    "Claims tested",
    "The same name elsewhere",
]


@pytest.mark.parametrize("name", registry.optimizers())
def test_a_page_has_every_section(name: str) -> None:
    text = ALL[f"optimizers/{name}.md"]
    parts = re.split(r"^## (.*)\n", text, flags=re.M)
    assert parts[1::2] == SECTIONS
    assert all(part.strip() for part in parts[2::2])
    languages = [b.language for b in documents.blocks(text)]
    assert languages.count("python") >= 5
    assert "math" in languages
    assert len(parts[0].split()) > 40, "say in the docstring what it is, in a paragraph"


@pytest.mark.parametrize("name", registry.optimizers())
def test_every_hyperparameter_has_a_meaning(name: str) -> None:
    entry = registry.registration(name)
    said = optimizers.docstring(entry)["arguments"]
    assert list(said) == list(entry.defaults)
    assert all(len(meaning) > 10 for meaning in said.values())


def test_a_new_optimizer_brings_its_page() -> None:
    @registry.optimizer(title="Downhill", paper="arXiv:1234.56789")
    def downhill(lr: float = 0.1) -> steepest.Chain:
        """Step against the gradient.

        Args:
            lr: the learning rate, as long as it is wide.
        """
        return steepest.chain(ScaleByLearningRate(lr))

    try:
        made = optimizers.pages()
        assert "Step against the gradient." in made["optimizers/downhill.md"]
        assert "[Downhill](downhill.md)" in made["optimizers/index.md"]
        assert "https://arxiv.org/abs/1234.56789" in made["optimizers/downhill.md"]
    finally:
        del registry._registered["downhill"]


def test_links_between_pages_lead_somewhere() -> None:
    others = {p.relative_to(DOCS).as_posix() for p in DOCS.rglob("*") if p.is_file()} | {"playground/page.html"}
    for name, text in ALL.items():
        for link in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", text, flags=re.S)):
            if not link.startswith(("http:", "https:", "#")):
                target = os.path.normpath(os.path.join(os.path.dirname(name), link.partition("#")[0]))
                assert target in {*ALL, *others}, f"{name}: {link}"


def test_what_the_hurried_are_told_is_what_the_tables_say() -> None:
    best = {family: max((c for c in tables.choices() if c.family == family), key=lambda c: c.merit) for family in tables.families()}
    hurry = WRITTEN["choose.md"].partition("## For your model")[0]
    assert best["other"].optimizer == "adamw"
    assert "Take **AdamW**" in hurry
    assert best["cnn"].optimizer == "nesterov"
    assert "Nesterov momentum instead" in hurry
    near = [f for f in best if any(c.optimizer == "adamw" and c.merit >= choices.FIRST for c in tables.choices() if c.family == f)]
    assert set(best) - set(near) == {"cnn"}, "AdamW is not among the first elsewhere either: say so"


def test_a_claim_is_shown_with_interval_and_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Verdict(
        id="lion-cheap",
        claim="Lion is cheap in time.",
        hypothesis="A step takes at most 0.9 of AdamW's.",
        design="interleaved",
        data="161 tensors | 25 M",
        verdict="supported",
        estimate=0.7,
        low=0.68,
        high=0.74,
        unit="of AdamW's time",
        limits="one machine",
        about=("lion", "memory"),
        side="at most",
        threshold=0.9,
    )
    monkeypatch.setattr(claims, "verdicts", lambda: (one,))
    assert "(claims.md" not in claims.overview()
    assert "[Lion is cheap in time](#lion-cheap) | **supported** | 0.7 of AdamW's time (0.68 to 0.74)" in claims.overview()
    full = claims.details()
    assert "{ #lion-cheap }" in full
    assert "161 tensors \\| 25 M" in full
    for said in (one.hypothesis, one.design, one.limits, "at most 0.9", "[Lion](optimizers/lion.md)", "steepest claims --run lion-cheap"):
        assert said in full
    assert "(../claims.md#lion-cheap)" in claims.about("lion")
    assert "None of" in claims.about("adam")


# -- commands -----------------------------------------------------------------------------------------------------


def commanded() -> list[tuple[str, str]]:
    """Every command in a block of shell, with the document it is in."""
    found = []
    for name, text in {**ALL, **{p.name: p.read_text() for p in ROOT.glob("*.md")}}.items():
        for block in documents.blocks(text):
            lines = block.text.replace("\\\n", " ").splitlines()
            if block.language in ("sh", "") and lines and re.match(r"(\w+=\S+ )*(make|steepest|pip)\b", lines[0]):
                found += [(name, line) for line in lines if line.strip() and not line.startswith("#")]
    return found


@pytest.mark.parametrize(("name", "line"), sorted(set(commanded())))
def test_every_command_is_one(name: str, line: str) -> None:
    words = shlex.split(line, comments=True)
    while "=" in words[0]:
        del words[0]
    if words[0] == "steepest":
        _parsed(words[1:])
    elif words[0] == "make":
        targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
        assert set(words[1:]) <= targets
    else:
        assert words[:2] == ["pip", "install"]
        known = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
        for wanted in re.findall(r"\[(.*?)\]", line):
            assert set(wanted.split(",")) <= set(known)


def test_commands_within_a_sentence_are_there() -> None:
    known = {parser.prog for parser in commands.parsers(cli.parser())}
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    for name, text in {**ALL, **{p.name: p.read_text() for p in ROOT.glob("*.md")}}.items():
        for said in re.findall(r"`(steepest [a-z]+)", text):
            assert said in known, f"{name}: {said}"
        for said in re.findall(r"`make ([a-z-]+)`", text):
            assert said in targets, f"{name}: make {said}"


def _parsed(words: list[str]) -> argparse.Namespace:
    try:
        return cli.parser().parse_args(words)
    except SystemExit:
        raise AssertionError(f"steepest {' '.join(words)} is not understood") from None


def test_the_command_line_is_complete() -> None:
    text = ALL["cli.md"]
    for parser in commands.parsers(cli.parser()):
        assert f"## {parser.prog}\n" in text
    assert "## steepest race worker\n" in text


# -- public names --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", reference.MODULES)
def test_every_public_name_is_explained_once(module: str) -> None:
    import importlib

    found = reference.names(module)
    assert found
    for name in found:
        home = reference.home(module, name)
        text = ALL[f"reference/{home}.md"]
        assert f'<a id="{home}.{name}"></a>\n\n::: {found[name]}.{name}\n' in text or f"{{ #{home}.{name} }}\n" in text
    if not module.startswith(("steepest.keras", "steepest.race")):
        assert all(hasattr(importlib.import_module(module), name) for name in found)


def test_the_names_of_the_readme_are_public() -> None:
    rows = re.findall(r"^\| (`steepest\.[^|]*) \|", (ROOT / "README.md").read_text(), re.M)
    assert len(rows) > 8
    known = {*reference.MODULES, *(f"{m}.{n}" for m in reference.MODULES for n in reference.names(m))}
    for row in rows:
        module = ""
        for words in re.findall(r"`([^`]*)`", row):
            for word in re.sub(r"\(.*?\)", "", words).split(", "):
                name = word if word.startswith("steepest") else f"{module}.{word}"
                module = name.rpartition(".")[0]
                assert name in known, f"{name} is in the README and not in the reference"
