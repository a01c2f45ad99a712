"""Does goodfit's network generalize better than what people use instead? Real tables, equal budgets, the same rows.

For every table and seed goodfit's own stages ingest and split the rows. Then each contestant has the same seconds to
search and to fit: goodfit by its stages tune and train, with the model's default space and an ensemble (on tables of
many rows: one network); the cocktail likewise, with the space of that name and, up to 10,000 rows, for small gaps
(`cocktail`); the rivals as `rivals.py` says. The seconds that are printed tell who took more. "no regularization" is a
control for the cocktail: one network of its kind, three layers of 128, without a search, a regularizer or early
stopping, its last epoch. All answer the test rows, which nobody saw. Printed are the loss (log loss, or root mean
squared error in standard deviations of the train target), its rank, the gap between test and train, seconds, and the
interval of the difference to goodfit from a paired bootstrap of the rows of all seeds. What each contestant answered is
kept in a folder, so that a run of hours can be broken off and go on, or be split over cores (`taskset -c 0`, each with
tables or contestants of its own, OMP_NUM_THREADS=1); what lies there of the same budget is not measured again: after a
change of a contestant, remove its files.

    pip install lightgbm catboost && python -m benchmarks.quality [--tables churn,spam7] [--seeds 5] [--budget 60]
        [--contestants "goodfit,cocktail,plain network"] [--result quality]
"""

import argparse
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.quality.rivals import RIVALS, Model, Rows, losses
from benchmarks.quality.tables import TABLES, Table, frame_of

PROJECT = Path(__file__).parents[2]
RESULTS = PROJECT / "benchmarks/results"
FEW, MANY = 2_000, 10_000
"""Rows of a table, below and above which time is spent otherwise: on many small networks, or on one."""


@dataclass(frozen=True)
class Plan:
    """How one of ours spends its time on a table.

    Args:
        share: of the budget that the search may take; the rest is for training what it found and for two starts of
            Python.
        votes: of the ensemble.
        epochs: of each training, at most.
        batch: trials that are searched at once.
        more: further options, by section.
    """

    share: float
    votes: int
    epochs: int
    batch: int = 16
    more: dict[str, dict[str, Any]] = field(default_factory=dict)


OURS = {"goodfit": "default", "cocktail": "cocktail", "no regularization": None}
"""The search space of each of ours; the last one is a control, trained without any regularizer."""
CONTROL_EPOCHS = 100
EMBEDDED = {"numeric_embeddings": {"kind": "piecewise_linear"}}
TOLERANCE = {"classes": 0.3, "values": 1.0}
"""How far above the best validation loss a cocktail may be: 30 % of a log loss, twice a squared error."""


def plan(one: str, task: str, rows: int) -> Plan:
    """Return how one of ours spends its time on a table of so many rows."""
    if OURS[one] is None:
        return Plan(0.0, 1, CONTROL_EPOCHS, more={"model": {"layers": 3, "width": 128, **EMBEDDED}})
    if rows > MANY:
        return Plan(0.2, 1, min(30, 1_600_000 // rows), 8 if rows < 10 * MANY else 4)
    epochs = 30 if task == "classes" else 80
    if one == "cocktail":
        return Plan(0.75, 5, epochs, more=cocktail(task))
    return Plan(0.3, 5, epochs) if rows < FEW else Plan(0.32, 3, epochs)


def cocktail(task: str) -> dict[str, dict[str, Any]]:
    """Return what turns a search over the cocktail into one for small gaps.

    Loss and gap are two objectives (NSGA-II), and of the trials near the best loss the five of the smallest gap vote
    alike. Numbers are read as by the model's default space; one width is searched: each costs a stack of its own.
    """
    space = {"base": "cocktail", "model.width": {"choices": [128]}}
    return {
        "model": EMBEDDED,
        "tune": {"space": space, "pruner": "none", "sampler": "nsga2", "against": "gap", "tolerance": TOLERANCE[task]},
        "train": {"votes": "equal"},
    }


RESAMPLES = 2000
SUITE = "expectations:\n  - {expectation: expect_table_row_count_to_be_between, min_value: 100, severity: critical}\n"


def params(one: str, table: Table, rows: int, seed: int, budget: float) -> dict[str, Any]:
    """Return params.yaml of one of ours: the defaults, and a search by time."""
    chosen, space = plan(one, table.task, rows), OURS[one]
    tune = {"trials": 1000, "timeout": chosen.share * budget, "batch": chosen.batch, "space": space}
    found: dict[str, Any] = {
        "seed": seed,
        "source": {"kind": "parquet", "path": "input/rows.parquet"},
        "schema": {"target": table.target, "id": table.id, "ignore": table.ignore},
        "validate": {"suite": "suite.yaml"},
        "split": table.split,
        "model": {"kind": "mlp"},
        "regularization": {"early_stopping": {"patience": 12 + chosen.epochs // 10}} if space else {},
        "training": {"epochs": chosen.epochs, "optimizer": {"kind": "adamw"}, "schedule": {"kind": "cosine"}},
        "tune": tune if space else {},
        "train": {"ensemble": chosen.votes},
        "calibration": {},
        "evaluate": {},
        "tracking": {"experiment": "quality", "model_name": "quality"},
    }
    return found | {section: found[section] | options for section, options in chosen.more.items()}


def workspace(root: Path, table: Table, seed: int, budget: float) -> None:
    """Make a project with its data split."""
    shutil.copytree(PROJECT / "pipeline", root / "pipeline", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "dvc.yaml", root)
    (root / "src").symlink_to(PROJECT / "src")
    (root / "input").mkdir()
    rows = frame_of(table)
    rows.to_parquet(root / "input/rows.parquet")
    (root / "suite.yaml").write_text(SUITE)
    write_params(root, params("goodfit", table, len(rows), seed, budget))
    for stage in ("ingest", "validate", "split"):
        run(root, stage)


def write_params(root: Path, values: dict[str, Any]) -> None:
    """Write params.yaml."""
    from ruamel.yaml import YAML

    with (root / "params.yaml").open("w") as stream:
        YAML().dump(values, stream)


def run(root: Path, stage: str) -> None:
    """Run a stage; what it says is shown where it fails."""
    done = subprocess.run(
        [sys.executable, f"pipeline/{stage}.py"], cwd=root, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{stage} failed in {root}:\n{done.stdout}{done.stderr}")


def rows_of(root: Path, table: Table) -> Rows:
    """Return the rows of each split as rivals take them: categories as such, the target by its train rows."""
    import pandas as pd

    frames = {split: pd.read_parquet(root / f"data/{split}.parquet") for split in ("train", "valid", "test")}
    train = frames["train"]
    left_out = {table.target, *table.id, *table.ignore}
    features = [name for name in train if name not in left_out and train[name].nunique(dropna=False) > 1]
    levels = {name: sorted(train[name].dropna().unique()) for name in features if not _numeric(train[name])}
    if table.task == "values":
        centre, spread = train[table.target].mean(), train[table.target].std()
        targets = {split: ((frame[table.target] - centre) / spread).to_numpy(float) for split, frame in frames.items()}
    else:
        classes = {name: code for code, name in enumerate(sorted(train[table.target].unique()))}
        targets = {split: frame[table.target].map(classes).to_numpy(np.int64) for split, frame in frames.items()}
    found = {}
    for split, frame in frames.items():
        cells = frame[features].copy()
        for name, known in levels.items():
            seen = cells[name].where(cells[name].isin(known))  # a level of no train row is missing
            cells[name] = pd.Categorical(seen, categories=known)
        found[split] = (cells, targets[split])
    return found


def _numeric(column: Any) -> bool:
    import pandas as pd

    return bool(pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column))


def goodfit(root: Path, table: Table) -> Model:
    """Search and train by the stages; the bundle answers."""
    import pandas as pd

    from goodfit.bundle import load_bundle

    for stage in ("tune", "train"):
        run(root, stage)
    bundle = load_bundle(root / "models/candidate")
    train = pd.read_parquet(root / "data/train.parquet")[table.target]

    def said(split: str) -> np.ndarray:
        found = bundle.predict(pd.read_parquet(root / f"data/{split}.parquet"))
        if table.task == "values":
            return np.asarray((found - train.mean()) / train.std())
        return np.asarray(found[:, [bundle.schema.classes.index(name) for name in sorted(bundle.schema.classes)]])

    return said


def contest(name: str, seed: int, budget: float, wanted: list[str], kept: Path) -> dict[str, Any]:
    """Let every contestant fit one split of a table; return the losses of the test rows and the rest of the figures."""
    files = {one: kept / f"{budget:g}s" / name / str(seed) / f"{one.replace(' ', '_')}.npz" for one in wanted}
    missing = [one for one, file in files.items() if not file.exists()]
    if missing:
        with tempfile.TemporaryDirectory() as folder:
            workspace(Path(folder), TABLES[name], seed, budget)
            rows = rows_of(Path(folder), TABLES[name])
            for one in missing:
                found = measured(one, Path(folder), TABLES[name], rows, seed, budget)
                files[one].parent.mkdir(parents=True, exist_ok=True)
                half = files[one].with_suffix(".half.npz")
                np.savez(half, **found)
                half.replace(files[one])  # one that is broken off leaves nothing that looks measured
    return {one: read(file) for one, file in files.items()}


def read(file: Path) -> dict[str, Any]:
    """Return what was kept of a contestant."""
    return {name: value if value.ndim else value.item() for name, value in np.load(file).items()}


def measured(one: str, root: Path, table: Table, rows: Rows, seed: int, budget: float) -> dict[str, Any]:
    """Let one contestant fit and answer."""
    began = time.monotonic()
    if one in OURS:
        count = sum(len(frame) for frame, _ in rows.values())
        write_params(root, params(one, table, count, seed, budget))
    model = goodfit(root, table) if one in OURS else RIVALS[one](rows, budget, seed)
    seconds = time.monotonic() - began
    found = {split: losses(model(split), rows[split][1]) for split in ("train", "test")}
    gap = score(found["test"], table) - score(found["train"], table)
    return {"seconds": seconds, "losses": found["test"], "gap": gap}


def score(each: np.ndarray, table: Table) -> float:
    """Return the figure of a contestant: mean log loss, or the root of the mean squared error."""
    mean = float(each.mean())
    return math.sqrt(mean) if table.task == "values" else mean


def judged(name: str, runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the figures of a table over its seeds."""
    table, found = TABLES[name], {}
    scores = {one: statistics.fmean(score(run[one]["losses"], table) for run in runs) for one in runs[0]}
    order = sorted(scores, key=scores.__getitem__)
    for one in scores:
        found[one] = {
            "loss": round(scores[one], 5),
            "rank": order.index(one) + 1,
            "gap": round(statistics.fmean(run[one]["gap"] for run in runs), 5),
            "seconds": round(statistics.median(run[one]["seconds"] for run in runs), 1),
        }
        if one != "goodfit" and "goodfit" in scores:
            low, high = interval([run[one]["losses"] - run["goodfit"]["losses"] for run in runs])
            found[one]["worse_than_goodfit_by"] = [round(low, 5), round(high, 5)]
    return found


def interval(differences: list[np.ndarray]) -> tuple[float, float]:
    """Return the 95 % interval of the mean difference of losses, by a bootstrap of the rows within each seed."""
    random = np.random.default_rng(0)
    means = [
        np.mean([part[random.integers(0, len(part), len(part))].mean() for part in differences])
        for _ in range(RESAMPLES)
    ]
    return float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975))


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--tables", default=",".join(TABLES))
    parser.add_argument("--contestants", default=",".join(["goodfit", *RIVALS]))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--budget", type=float, default=60.0)
    parser.add_argument("--kept", type=Path, default=PROJECT / ".quality")
    parser.add_argument("--result", default="quality")
    chosen = parser.parse_args()
    wanted = chosen.contestants.split(",")
    path = RESULTS / f"{chosen.result}.json"
    known = json.loads(path.read_text()) if path.exists() else {"tables": {}}
    for name in chosen.tables.split(","):
        seeds = range(1, chosen.seeds + 1)
        runs = [contest(name, seed, chosen.budget, wanted, chosen.kept) for seed in seeds]
        found = judged(name, runs)
        known["tables"][name] = {"budget": chosen.budget, "seeds": chosen.seeds, "contestants": found}
        print(name, json.dumps(found, indent=2), flush=True)
        known["mean_rank"] = mean_ranks(known["tables"])
        known["machine"] = {"cores_of_each": len(os.sched_getaffinity(0)), "load": round(os.getloadavg()[0], 2)}
        path.write_text(json.dumps(known, indent=2) + "\n")
    print(json.dumps(known["mean_rank"], indent=2))


def mean_ranks(tables: dict[str, Any]) -> dict[str, float]:
    """Return each contestant's mean rank over the tables that it was measured on."""
    ranks: dict[str, list[int]] = {}
    for found in tables.values():
        for one, figures in found["contestants"].items():
            ranks.setdefault(one, []).append(figures["rank"])
    return {one: round(statistics.fmean(places), 2) for one, places in ranks.items()}


if __name__ == "__main__":
    main()
