"""Is the network worth it on the default project? Over five splits, its test rows beside the linear baseline's.

For each split seed: read, split, train with the settings of params.yaml (no search, so that the test says something
about the settings and not about the search), and compare log loss and ROC AUC with the linear baseline by a paired
bootstrap on the test rows. A single split proves little: the standard error on one is about .012 of log loss.

    python benchmarks/churn_quality.py [--seeds 5] [--settings artifacts/best.yaml]
"""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from pydantic import Field

from goodfit.bundle import Bundle
from goodfit.data import SchemaSection, Table, conform, infer_schema, read_frame
from goodfit.evaluation import EvaluateSection, Evaluation, evaluate, verdict
from goodfit.params import load_params, read_yaml
from goodfit.sources import SOURCES, ingest
from goodfit.splits import SplitSection, split_table
from goodfit.training import FitSections, TrainingData, fit

ROOT = Path(__file__).parents[1]
RESULT = Path(__file__).parent / "results" / "churn_quality.json"
METRICS = ("log_loss", "roc_auc")


class Params(FitSections):
    """What the pipeline reads from params.yaml, without search and tracking."""

    source: SOURCES.section()  # type: ignore[valid-type]
    schema_: SchemaSection = Field(alias="schema")
    split: SplitSection


def table(params: Params) -> Table:
    """Return all rows of the default project."""
    with tempfile.TemporaryDirectory() as folder:
        ingest(SOURCES.build(params.source), Path(folder) / "raw.parquet")
        frame = conform(read_frame(Path(folder) / "raw.parquet"), params.schema_)
    return Table(frame, infer_schema(frame, params.schema_))


def judged(params: Params, rows: Table, seed: int) -> tuple[Evaluation, float]:
    """Return one split's evaluation, and the seconds that the training took."""
    parts = split_table(rows, params.split, seed)
    data = TrainingData.of(parts.train, parts.valid, params.training.preprocessing)
    fitted = fit(params.recipe(rows.schema), data, seed=seed, state=None, progress=False)
    bundle = Bundle(rows.schema, data.preprocessor, params.model, params.regularization, fitted.model)
    return evaluate(bundle, parts, EvaluateSection(metrics=list(METRICS)), seed), fitted.seconds


def line(evaluation: Evaluation, seed: int, seconds: float) -> dict[str, Any]:
    """Return what one split came to."""
    found: dict[str, Any] = {"seed": seed, "training_seconds": round(seconds, 2)}
    for name in METRICS:
        found[name] = {
            "network": evaluation.splits["test"][name].to_dict(),
            "linear": evaluation.baselines["linear"][name].to_dict(),
            "network_minus_linear": evaluation.comparison["linear"][name].to_dict(),
        }
    return found


def summary(lines: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """Return a metric over the splits: how often worse or better, and the mean difference with its spread."""
    differences = [found[name]["network_minus_linear"]["difference"] for found in lines]
    findings = [found[name]["network_minus_linear"]["finding"] for found in lines]
    return {
        "network_mean": statistics.mean(found[name]["network"]["value"] for found in lines),
        "linear_mean": statistics.mean(found[name]["linear"]["value"] for found in lines),
        "difference_mean": statistics.mean(differences),
        "difference_deviation": statistics.stdev(differences) if len(differences) > 1 else 0.0,
        **{finding: findings.count(finding) for finding in ("better", "undecided", "worse")},
    }


def main() -> None:
    """Run every split and write the result."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seeds", type=int, default=5, help="how many splits")
    arguments.add_argument("--settings", type=Path, help="dotted parameters to lay over params.yaml")
    chosen = arguments.parse_args()
    overrides = read_yaml(chosen.settings) if chosen.settings else {}
    params = load_params(ROOT / "params.yaml", Params, overrides)
    rows = table(params)
    lines = []
    for seed in range(1, chosen.seeds + 1):
        start = time.perf_counter()
        evaluation, seconds = judged(params, rows, seed)
        lines.append(line(evaluation, seed, seconds))
        print(f"split {seed}, {time.perf_counter() - start:.1f} s: {verdict(evaluation)}", flush=True)
    result = {"overrides": overrides, "splits": lines, **{name: summary(lines, name) for name in METRICS}}
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps({name: result[name] for name in METRICS}, indent=2))


if __name__ == "__main__":
    main()
