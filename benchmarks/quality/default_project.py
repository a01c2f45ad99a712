"""The default project beside CatBoost, tuned by Optuna for 120 s of the same cores on the same rows.

For every split seed the repository's own stages run with its own params.yaml, but for `seed`. CatBoost searches until
its time is up, with the valid rows to stop early and to choose by. Printed are both log losses of the test rows, the
seconds of each, and the 95 % interval of the mean difference, from a paired bootstrap of the rows of all splits: below
0 favours goodfit.

    pip install catboost && python -m benchmarks.quality.default_project [--seeds 5] [--budget 120]
"""

import argparse
import json
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.quality.__main__ import PROJECT, goodfit, interval, rows_of, run
from benchmarks.quality.rivals import catboost, losses
from benchmarks.quality.tables import TABLES

RESULT = PROJECT / "benchmarks/results/default_project.json"
TABLE = TABLES["churn"]


def workspace(root: Path, seed: int) -> None:
    """Make the default project with another seed, its data split."""
    for name in ("pipeline", "src", "expectations", "input"):
        shutil.copytree(PROJECT / name, root / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    shutil.copy(PROJECT / "dvc.yaml", root)
    text = (PROJECT / "params.yaml").read_text()
    if "\nseed: 42\n" not in text:
        raise SystemExit("params.yaml says no seed: 42, which is to be replaced")
    (root / "params.yaml").write_text(text.replace("\nseed: 42\n", f"\nseed: {seed}\n"))
    for stage in ("ingest", "validate", "split"):
        run(root, stage)


def one(seed: int, budget: float) -> dict[str, Any]:
    """Let both fit one split."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        workspace(root, seed)
        rows = rows_of(root, TABLE)
        found: dict[str, Any] = {}
        for name, fit in (
            ("goodfit", lambda: goodfit(root, TABLE)),
            ("catboost", lambda: catboost(rows, budget, seed)),
        ):
            began = time.monotonic()
            model = fit()
            found[name] = {"seconds": time.monotonic() - began, "losses": losses(model("test"), rows["test"][1])}
    return found


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--budget", type=float, default=120.0)
    chosen = parser.parse_args()
    runs = []
    for seed in range(1, chosen.seeds + 1):
        runs.append(one(seed, chosen.budget))
        print(seed, {name: round(float(found["losses"].mean()), 5) for name, found in runs[-1].items()}, flush=True)
    differences = [found["goodfit"]["losses"] - found["catboost"]["losses"] for found in runs]
    low, high = interval(differences)
    result = {
        "budget_s": chosen.budget,
        "log_loss": {
            name: [round(float(found[name]["losses"].mean()), 5) for found in runs] for name in ("goodfit", "catboost")
        },
        "median_seconds": {
            name: round(statistics.median(found[name]["seconds"] for found in runs), 1) for name in runs[0]
        },
        "goodfit_minus_catboost": {
            "mean": round(
                statistics.fmean(float((f["goodfit"]["losses"] - f["catboost"]["losses"]).mean()) for f in runs), 5
            ),
            "interval": [round(low, 5), round(high, 5)],
        },
    }
    print(json.dumps(result, indent=2))
    RESULT.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
