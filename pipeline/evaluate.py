"""Judge the candidate on all three splits, once, beside its baselines.

Reads the splits, models/candidate and run.json. Writes metrics.json, reports/evaluation/ and reports/report.html, and
finishes the candidate run.
"""

from goodfit.stage import Stage, run_stage  # isort: skip  (first, so that a failing import has its exit code)
from goodfit.bundle import load_bundle
from goodfit.data import read_table
from goodfit.errors import DataError, Fault
from goodfit.evaluation import EvaluateSection, evaluate, show_table, write_reports
from goodfit.files import write_json
from goodfit.params import Seed
from goodfit.registry import Section
from goodfit.tracking import Tracker, TrackingSection, evaluation_metrics, read_record, record_tags

SPLITS = ("train", "valid", "test")


class Params(Section):
    """The sections of params.yaml that decide the judgement."""

    seed: Seed
    evaluate: EvaluateSection = EvaluateSection()
    tracking: TrackingSection


class Splits:
    """The three tables."""

    def __init__(self, stage: Stage[Params]) -> None:
        self.train, self.valid, self.test = (
            read_table(stage.root / f"data/{name}.parquet") for name in ("train", "valid", "test")
        )


def evaluate_candidate(stage: Stage[Params]) -> None:
    """Evaluate, write, record."""
    root, params = stage.root, stage.params
    record = read_record(root)
    if record is None:
        raise DataError([Fault("run.json", "cannot be used", None, "Run dvc repro --force train.")])
    bundle = load_bundle(root / "models/candidate")
    evaluation = evaluate(bundle, Splits(stage), params.evaluate, params.seed)
    write_reports(root / "reports", evaluation, record["params"])
    write_json(root / "metrics.json", evaluation.to_dict())
    with Tracker(params.tracking, root) as tracker:
        attempt, search = record["attempt"], record["search"]
        with tracker.candidate(attempt, search=search, tags=record_tags(record)) as run:
            run.metrics(evaluation_metrics(evaluation.to_dict()))
            for path in ("metrics.json", "reports/evaluation", "reports/report.html"):
                run.artifact(root / path, "" if path == "metrics.json" else "reports")
            run.finish("FINISHED")
    show_table(evaluation)


if __name__ == "__main__":
    run_stage("evaluate", Params, evaluate_candidate)
