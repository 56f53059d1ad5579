"""What the page embeds besides its text: plotly's JavaScript, the figures, every run as a table to download."""

import base64
import csv
import gzip
import io
import json
from collections.abc import Mapping
from typing import Any

from steepest.race.extra import NeedsExtra
from steepest.race.record import Race
from steepest.race.report.charts import Chart
from steepest.race.report.facts import Facts

with NeedsExtra():
    from plotly.offline import get_plotlyjs

COLUMNS = ("task", "optimizer", "purpose", "study", "number", "seed", "validation", "test", "steps_to_target", "samples_to_target")
MORE = ("seconds_to_target", "seconds", "diverged_at", "state_bytes_per_parameter", "step_ms")


def packed(content: str) -> str:
    """Compressed and as text. Plotly shrinks to two fifths; every browser since 2023 unpacks it without a library."""
    return base64.b64encode(gzip.compress(content.encode(), 9, mtime=0)).decode("ascii")


def plotly() -> str:
    """Its JavaScript, packed. The package brings the full bundle and no smaller one."""
    return packed(get_plotlyjs())


def embedded(value: Any) -> str:
    """JSON that nothing in it can end or escape from."""
    compact = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return compact.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def page_data(facts: Facts, charts: Mapping[str, Chart]) -> dict[str, Any]:
    """What the page's script draws from."""
    return {
        "charts": {
            name: {
                "selectors": list(chart.selectors),
                "height": chart.height,
                "views": {key: {"title": v.title, "figure": v.figure(), "head": v.head, "rows": v.rows} for key, v in chart.views.items()},
            }
            for name, chart in charts.items()
            if not chart.empty
        },
        "colours": [look.colour for look in sorted(facts.looks.values(), key=lambda one: one.index)],
    }


def runs_csv(race: Race) -> str:
    """Every run that was made, failed ones included."""
    axes = sorted({k for t in race.trials for k in t.point})
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*COLUMNS, *MORE, *axes])
    for t in race.trials:
        writer.writerow([*(getattr(t, c) for c in (*COLUMNS, *MORE)), *(t.point.get(a, "") for a in axes)])
    return out.getvalue()
