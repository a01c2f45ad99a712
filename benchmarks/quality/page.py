"""The figures of the quality benchmark as tables in docs/quality.md, between its two markers.

python -m benchmarks.quality.page
"""

import json
from pathlib import Path
from statistics import fmean
from typing import Any

PROJECT = Path(__file__).parents[2]
PAGE, RESULTS = PROJECT / "docs/quality.md", PROJECT / "benchmarks/results"
BEGIN, END = "<!-- figures, from benchmarks/results -->\n", "<!-- end of figures -->"
OURS, PLAIN = "goodfit", "plain network"


def figures() -> str:
    """Return the tables as the last runs of the benchmark give them."""
    found = json.loads((RESULTS / "quality.json").read_text())
    control = json.loads((RESULTS / "cocktail.json").read_text())
    names = sorted(found["mean_rank"], key=found["mean_rank"].__getitem__)
    tables = found["tables"]
    parts = [
        *("### Loss on the test rows", _losses(tables, names)),
        *(
            "### How much worse than goodfit, 95 % interval of the mean log loss or squared error",
            _differences(tables, names),
        ),
        *("### Generalization gap: loss on test minus loss on train", _of(tables, names, "gap", 3)),
        *("### Seconds, median", _of(tables, names, "seconds", 0)),
        *("### The cocktail on small tables", _cocktail(control["tables"])),
    ]
    return "\n\n".join(parts) + "\n\n"


def _losses(tables: dict[str, Any], names: list[str]) -> str:
    rows = []
    for table, found in tables.items():
        contestants = found["contestants"]
        best = min(contestants[name]["loss"] for name in names)
        cells = [_strong(contestants[name]["loss"], best) for name in names]
        rows.append([table, *cells])
    ranks = {name: [found["contestants"][name]["rank"] for found in tables.values()] for name in names}
    rows.append(["mean rank", *(f"{sum(places) / len(places):.2f}" for places in ranks.values())])
    return _table(["table", *names], rows)


def _strong(loss: float, best: float) -> str:
    return f"**{loss:.4f}**" if loss == best else f"{loss:.4f}"


def _differences(tables: dict[str, Any], names: list[str]) -> str:
    others = [name for name in names if name != OURS]
    rows = []
    for table, found in tables.items():
        intervals = [found["contestants"][name]["worse_than_goodfit_by"] for name in others]
        rows.append([table, *(f"{low:+.4f} to {high:+.4f}" for low, high in intervals)])
    return _table(["table", *others], rows)


def _of(tables: dict[str, Any], names: list[str], figure: str, digits: int) -> str:
    rows = [
        [table, *(f"{found['contestants'][name][figure]:.{digits}f}" for name in names)]
        for table, found in tables.items()
    ]
    return _table(["table", *names], rows)


def _cocktail(tables: dict[str, Any]) -> str:
    """Return gap and loss of the cocktail, of the network without anything against overfitting, and of the control."""
    rows = [[table, *_gaps(found["contestants"])] for table, found in tables.items()]
    gaps = {name: _mean_gap(tables, name) for name in ("cocktail", PLAIN)}
    rows.append(["mean", *_share(gaps["cocktail"], gaps[PLAIN]), "", "", "", "", ""])
    loss = [f"loss of {name}" for name in ("the cocktail", "plain")]
    head = ["table", "gap of the cocktail", "gap of plain", "share", *loss, "gap of the control", "its loss", "seconds"]
    return _table(head, rows)


def _gaps(found: dict[str, Any]) -> list[str]:
    cocktail, plain, control = (found[name] for name in ("cocktail", PLAIN, "no regularization"))
    losses = [f"{one['loss']:.4f}" for one in (cocktail, plain)]
    seconds = f"{cocktail['seconds']:.0f}"
    return [
        *_share(cocktail["gap"], plain["gap"]),
        *losses,
        f"{control['gap']:.3f}",
        f"{control['loss']:.4f}",
        seconds,
    ]


def _share(one: float, other: float) -> list[str]:
    return [f"{one:.3f}", f"{other:.3f}", f"{one / other:.2f}"]


def _mean_gap(tables: dict[str, Any], name: str) -> float:
    return fmean(found["contestants"][name]["gap"] for found in tables.values())


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def main() -> None:
    """Write the figures into the page."""
    before, _, rest = PAGE.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(before + BEGIN + figures() + END + after)


if __name__ == "__main__":
    main()
