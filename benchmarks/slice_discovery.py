"""Does the search find a failing slice, and does it keep silent where there is none?

Made-up tables of 6 numeric and 6 categorical columns. A model that knows the probabilities or the mean answers; in the
planted case it is wrong in 2 % of the rows, a cross of the top tenth of one column and one of five levels of another.
Counted: in how many of 20 seeds that slice is found and ranked first (both columns, and most of its rows), in how many
it is flagged as well (other rows than those that found it confirm it), and in how many of 200 runs without a planted
slice anything is flagged. Rows are those of each of valid and test.

    python benchmarks/slice_discovery.py [--found 20] [--silent 200]
"""

import argparse
import json
import os
import platform
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from goodfit.data import Column, Schema
from goodfit.evaluation.inspections.slices import Slices
from goodfit.evaluation.slices.discovery import discover

RESULT = Path(__file__).parent / "results" / "slice_discovery.json"
COLUMNS = [Column(f"n{i}", "numeric", "feature") for i in range(6)]
COLUMNS += [Column(f"c{i}", "categorical", "feature") for i in range(6)]
TOP_TENTH = 1.2816
CASES = [(task, rows) for task in ("binary", "multiclass", "regression") for rows in (1000, 5000)]
CLASSES = {"binary": ("no", "yes"), "multiclass": ("a", "b", "c"), "regression": ()}
OVERLAP = 0.5
DEFAULTS = Slices()


def drawn(task: str, rows: int, seed: int, planted: bool) -> tuple[pd.DataFrame, Any, Any, Any]:
    """Return a table, its targets, what is said, and which rows the planted slice holds."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({f"n{i}": rng.normal(size=rows) for i in range(6)})
    for i in range(6):
        frame[f"c{i}"] = rng.choice(list("abcde"), rows)
    bad = ((frame["n2"] > TOP_TENTH) & (frame["c1"] == "b")).to_numpy()
    signal = 1.5 * frame["n0"].to_numpy() + frame["n1"].to_numpy() + (frame["c0"] == "a").to_numpy()
    if task == "regression":
        noise = rng.normal(size=rows) * (1 + 0.3 * np.abs(signal))
        return frame, signal + noise * np.where(bad & planted, 4, 1), signal, bad
    logits = np.stack([np.zeros(rows), signal, 2 * frame["n3"].to_numpy()], axis=1)[:, : len(CLASSES[task])]
    said = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    target = (rng.random(rows)[:, None] > said.cumsum(axis=1)).sum(axis=1).clip(max=said.shape[1] - 1)
    wrong = bad & planted & (rng.random(rows) < 0.8)
    target[wrong] = (said[wrong].argmax(axis=1) + 1) % said.shape[1]
    return frame, target, said, bad


def searched(task: str, rows: int, seed: int, planted: bool) -> tuple[bool, bool, bool]:
    """Return whether anything is flagged, whether the first slice is the planted one, and whether that is flagged."""
    splits = {"valid": drawn(task, rows, 2 * seed, planted), "test": drawn(task, rows, 2 * seed + 1, planted)}
    frames, targets, said = ({split: values[i] for split, values in splits.items()} for i in range(3))
    schema = Schema(tuple(COLUMNS), task, CLASSES[task])  # type: ignore[arg-type]
    options = {"bins": DEFAULTS.quantiles, "min_rows": DEFAULTS.min_rows, "count": DEFAULTS.worst}
    every = discover(schema.task, schema, frames, targets, said, kinds=["failing"], seed=(seed, 1), **options)
    found = every["failing"]
    flagged = [part.confirmed.p <= DEFAULTS.significance for part in found]
    if not found:
        return False, False, False
    bad, mask = splits[found[0].asked][3], found[0].mask
    same = set(found[0].found.columns) == {"n2", "c1"} and (mask & bad).sum() / (mask | bad).sum() >= OVERLAP
    return any(flagged), bool(same), bool(same and flagged[0])


def main() -> None:
    """Count, print and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--found", type=int, default=20)
    parser.add_argument("--silent", type=int, default=200)
    options = parser.parse_args()
    lines = []
    for task, rows in CASES:
        planted = [searched(task, rows, seed, True) for seed in range(options.found)]
        first, sure = (sum(one[i] for one in planted) for i in (1, 2))
        alarms = sum(searched(task, rows, 10_000 + seed, False)[0] for seed in range(options.silent))
        line = {"task": task, "rows": rows, "first": first, "first_and_flagged": sure, "of": options.found}
        line |= {"alarms": alarms, "in": options.silent}
        lines.append(line)
        print(line, flush=True)
    result = {
        "what": "a planted failing slice of 2 % of the rows is ranked first; without one nothing is flagged",
        "significance": DEFAULTS.significance,
        "cases": lines,
        "limit": {"first": "all", "alarms": "5 % of the runs"},
        "within_limits": all(c["first"] == c["of"] and c["alarms"] <= 0.05 * c["in"] for c in lines),  # type: ignore[operator]
        "machine": {"cpus": os.cpu_count(), "processor": platform.machine(), "python": platform.python_version()},
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
