"""Put the records and verdicts of a run of `steepest claims --run --out FOLDER` into the package: `python scripts/ship_claims.py FOLDER`.

Some claims are read from the standard race as well, if its record is there: `steepest race export race.db
src/steepest/guide/records/standard.parquet`.
"""

import shutil
import sys
from pathlib import Path

from steepest.guide.claims import judging, text
from steepest.guide.claims.experiments import EXPERIMENTS
from steepest.guide.claims.record import RECORDS


def main(folder: Path) -> None:
    """Copy what is there, work out every verdict anew from what is then shipped, and print them."""
    RECORDS.mkdir(exist_ok=True)
    for name in EXPERIMENTS:
        source = judging.record_of(folder, name)
        if source.exists():
            shutil.copy(source, judging.record_of(RECORDS, name))
    judged = judging.recomputed(RECORDS)
    (RECORDS / judging.FIGURES).unlink(missing_ok=True)
    judging.write(RECORDS, judged)
    print(text.listing(judged), end="")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
