"""How often is a drift alarm wrong, and how often does it come when it should: every question asked together.

Made-up tables of 50 columns (30 numbers of which five are correlated and five have gaps, 20 texts), 5,000 known rows.
Silent: new rows of the same kind, so that any alarm, of a column's values, of its gaps or of how all columns hang
together, is false. Moved: one number has moved as far as a population stability index of 0.2. Torn: a correlation of
0.6 between five numbers is gone, which no column shows by itself.

    python benchmarks/drift_alarms.py [--silent 1000] [--found 200]
"""

import argparse
import json
import os
import platform
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from goodfit.data import Column, Schema, Table
from goodfit.retraining.drift import JOINT, find_drift
from goodfit.retraining.drift_section import DriftSection
from goodfit.retraining.joint import tell_apart
from goodfit.retraining.profile import profile_of

RESULT = Path(__file__).parent / "results" / "drift_alarms.json"
NUMBERS, TEXTS, KNOWN = 30, 20, 5000
LIMITS = {"false": 0.05, "found": 0.95}
SECTION = DriftSection()
COLUMNS = [Column(f"n{i}", "numeric", "feature") for i in range(NUMBERS)]
COLUMNS += [Column(f"c{i}", "categorical", "feature") for i in range(TEXTS)]
SCHEMA = Schema((*COLUMNS, Column("y", "categorical", "target")), "binary", ("no", "yes"))
KINDS = {c.name: "numeric" if c.type == "numeric" else "levels" for c in COLUMNS}


def drawn(rows: int, seed: int, move: float = 0.0, together: float = 0.6) -> pd.DataFrame:
    """Return rows; `move` is added to the last number, the first five have the correlation `together`."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, NUMBERS))
    x[:, :5] = np.sqrt(together) * random.normal(size=(rows, 1)) + np.sqrt(1 - together) * x[:, :5]
    x[:, -1] += move
    x[:, 5:10][random.random((rows, 5)) < 0.1] = np.nan
    texts = {f"c{i}": random.choice(list("abcdef")[: 2 + i % 5], rows) for i in range(TEXTS)}
    return pd.DataFrame(x, columns=[f"n{i}" for i in range(NUMBERS)]).assign(**texts)


def move_of(index: float) -> float:
    """Return how far a standard normal number must move for this population stability index over its ten bins."""
    edges = stats.norm.ppf(np.arange(1, 10) / 10)
    low, high = 0.0, 2.0
    for _ in range(50):
        middle = (low + high) / 2
        shares = np.diff(np.concatenate([[0.0], stats.norm.cdf(edges - middle), [1.0]]))
        found = float(((shares - 0.1) * np.log(shares / 0.1)).sum())
        low, high = (middle, high) if found < index else (low, middle)
    return low


def alarms(seed: int, rows: int, **change: float) -> tuple[str, ...]:
    """Return what has drifted among new rows, by every question that a retrain asks of them."""
    known, new = drawn(KNOWN, 2 * seed), drawn(rows, 2 * seed + 1, **change)
    profile = profile_of(Table(known.assign(y="no"), SCHEMA))
    return find_drift(profile, new, None, SECTION, tell_apart(known, new, KINDS, seed)).drifted


def main() -> None:
    """Count, print and keep."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--silent", type=int, default=1000)
    parser.add_argument("--found", type=int, default=200)
    options = parser.parse_args()
    shares: dict[str, Any] = {}
    for rows in (500, KNOWN):
        said = [alarms(seed, rows) for seed in range(options.silent)]
        shares[f"false alarms, {rows} new rows"] = {
            "any": np.mean([bool(names) for names in said]),
            "joint": np.mean([names == (JOINT,) for names in said]),
        }
        print(json.dumps(shares), flush=True)
    moved = [alarms(10_000 + seed, KNOWN, move=move_of(0.2)) for seed in range(options.found)]
    torn = [alarms(20_000 + seed, KNOWN, together=0.0) for seed in range(options.found)]
    shares["found, one column moved by an index of 0.2"] = np.mean([f"n{NUMBERS - 1}" in names for names in moved])
    shares["found, a correlation gone"] = np.mean([names == (JOINT,) for names in torn])
    false = max(found["any"] for name, found in shares.items() if name.startswith("false"))
    found = min(value for name, value in shares.items() if name.startswith("found"))
    result = {
        "what": f"{options.silent} resamples without drift and {options.found} with, of 50 columns, {KNOWN} known rows",
        "shares": shares,
        "limits": LIMITS,
        "within_limits": bool(false <= LIMITS["false"] and found >= LIMITS["found"]),
        "machine": {"processor": platform.machine(), "cores": os.cpu_count()},
    }
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
