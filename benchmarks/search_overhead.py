"""What a search of 1,000 trials costs beside training: sampling, settings, journal, tracking. Training is free here.

Time is wall time, and CPU time of the whole process beside it, which a busy machine inflates less. Every part is that
of `dvc repro`: the default project's space, its sampler in batches of 16, the journal on
disk, MLflow in a fresh SQLite file, with all settings and 30 epochs of four metrics for each trial. The last figure,
the logging alone, is the same search with tracking left out, in the same run.
"""

import importlib.util
import json
import math
import tempfile
import time
from pathlib import Path
from typing import Any

from goodfit.files import write_json
from goodfit.params import check, load_params, overlay, read_yaml
from goodfit.stage import Stage
from goodfit.tracking import Tracker
from goodfit.training import FitSections
from goodfit.tuning import Outcome, resolve_space, search
from goodfit.tuning.status import status_of

ROOT = Path(__file__).parents[1]
RESULT = ROOT / "benchmarks/results/search_overhead.json"
TRIALS, EPOCHS = 1000, 30


def main() -> None:
    figures = {"trials": TRIALS, "epochs": EPOCHS, "batch": 16}
    silent = measured(tracked=False)
    whole = measured(tracked=True)
    figures |= {f"ms_per_trial_{name}": value for name, value in whole.items()}
    for clock in ("wall", "cpu"):
        figures[f"ms_per_trial_without_tracking_{clock}"] = silent[f"all_{clock}"]
        growth = whole[f"last_hundred_{clock}"] / whole[f"first_hundred_{clock}"]
        figures[f"growth_last_hundred_to_first_{clock}"] = round(growth, 3)
    write_json(RESULT, figures)
    print(json.dumps(figures, indent=2))


def measured(tracked: bool) -> dict[str, float]:
    """Return milliseconds per trial: of all trials, everything sent at the end included, and of parts of the search."""
    script = loaded()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "params.yaml").write_text((ROOT / "params.yaml").read_text())
        params = load_params(root / "params.yaml", script.Params)
        section = params.tune.model_copy(update={"trials": TRIALS, "batch": 16})
        tree = {n: v for n, v in read_yaml(root / "params.yaml").items() if n in FitSections.model_fields}
        space = resolve_space(section, read_yaml(root / "params.yaml"), FitSections)
        stage = Stage("tune", root, params, "a" * 64)
        with Tracker(params.tracking, root) as tracker:
            recorder = script.Recorder(stage, tree, space, tracker)
            if tracked:
                assert tracker.flush(60), "the schema of a new database is not what is measured"
            marks: list[tuple[float, float]] = []

            def run_batch(batch: Any) -> Any:
                for proposal in batch:
                    check(overlay(tree, proposal.overrides), FitSections, "params.yaml")
                    marks.append(now())
                    yield outcome(proposal.number, proposal.overrides)

            began = now()
            told = recorder.told if tracked else None
            search(section, space, 1, stage.state, run_batch, told, progress=False)
            with recorder.parent:
                if tracked:
                    assert tracker.flush(600)
            ended = now()
        assert status_of(root).done == TRIALS
    parts = {"all": (began, ended), "first_hundred": (began, marks[100]), "last_hundred": (marks[-101], marks[-1])}
    figures = {}
    for name, (first, last) in parts.items():
        count = TRIALS if name == "all" else 100
        for index, clock in enumerate(("wall", "cpu")):
            figures[f"{name}_{clock}"] = round(1000 * (last[index] - first[index]) / count, 2)
    return figures


def now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def outcome(number: int, settings: dict[str, Any]) -> Outcome:
    """A smooth function of the settings in place of a training; two of three trials are pruned after six epochs."""
    depth = sum(abs(math.log(abs(value) + 0.1)) for value in settings.values()) / 10
    pruned = number % 3 != 0
    length = 6 if pruned else EPOCHS
    curve = [depth + 1 / epoch for epoch in range(1, length + 1)]
    curves = {name: curve for name in ("train/loss", "valid/loss", "train/objective", "lr")}
    return Outcome(number, "PRUNED" if pruned else "COMPLETE", curve[-1], length, 0.1, "", curves)


def loaded() -> Any:
    spec = importlib.util.spec_from_file_location("tune_stage", ROOT / "pipeline/tune.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main()
