"""Judge the candidate on all three splits, once, beside its baselines.

Reads the splits, models/candidate, run.json and what the other stages reported. Writes metrics.json,
reports/evaluation/, reports/cost.json and reports/report.html, finishes the run, and then fails if a gate did.
"""

from dataclasses import replace
from typing import Any

from goodfit.stage import Stage, run_stage  # isort: skip  (first, so that a failing import has its exit code)
from goodfit.bundle import Bundle, load_bundle
from goodfit.data import Task, read_table
from goodfit.errors import DataError, Fault, GateError
from goodfit.evaluation import (
    EvaluateSection,
    Evaluation,
    Evidence,
    Outcome,
    built_gates,
    check_section,
    evaluate,
    measure_cost,
    read_context,
    show_table,
    write_reports,
)
from goodfit.files import read_json, remove, write_json, write_text
from goodfit.params import Seed
from goodfit.registry import Section
from goodfit.studies import Chosen, asked_studies, chosen_model
from goodfit.tracking import (
    Tracker,
    TrackingSection,
    cost_metrics,
    evaluation_metrics,
    read_record,
    record_tags,
    shown_tables,
)

LOGS = ".goodfit/logs"
SPLITS = ("train", "valid", "test")
TASKS: tuple[Task, ...] = ("binary", "multiclass", "regression")
ARTIFACTS = {
    "metrics.json": "",
    "reports/cost.json": "reports",
    "reports/evaluation": "reports",
    "reports/report.html": "reports",
}


class Params(Section):
    """The sections of params.yaml that decide the judgement."""

    seed: Seed
    evaluate: EvaluateSection = EvaluateSection()
    tracking: TrackingSection


def check(params: Params, tree: dict[str, Any]) -> None:
    """Refuse metrics and gates that cannot be judged; `goodfit check` calls this before anything runs."""
    check_section(params.evaluate, known_task(tree.get("schema")))


def known_task(schema: Any) -> Task | None:
    """Return the task that params.yaml states; None where the data decide."""
    stated = schema if isinstance(schema, dict) else {}
    if stated.get("above") is not None:
        return "binary"
    return next((task for task in TASKS if task == stated.get("task")), None)


class Splits:
    """The three tables."""

    def __init__(self, stage: Stage[Params]) -> None:
        self.train, self.valid, self.test = (
            read_table(stage.root / f"data/{name}.parquet") for name in ("train", "valid", "test")
        )


def evaluate_candidate(stage: Stage[Params]) -> None:
    """Evaluate, write, record; a gate says no only after all that."""
    root, section = stage.root, stage.params.evaluate
    record = read_record(root)
    if record is None:
        raise DataError([Fault("run.json", "cannot be used", None, "Run dvc repro --force train.")])
    bundle, splits = load_bundle(root / "models/candidate"), Splits(stage)
    evaluation = evaluate(bundle, splits, section, stage.params.seed)
    for kind, trace in evaluation.inspected.tracebacks.items():
        write_text(root / LOGS / f"evaluate-{kind}.log", trace)
    evaluation = studied(stage, evaluation, record, splits)
    cost = measured(stage, bundle, splits, record)
    outcomes = [gate.judge(Evidence(evaluation, cost)) for gate in built_gates(section)]
    write_reports(root / "reports", evaluation, read_context(root, record, cost, outcomes, section.card))
    write_json(root / "reports/evaluation/gates.json", [outcome.to_dict() for outcome in outcomes])
    write_json(root / "metrics.json", evaluation.to_dict())
    publish(stage, record, evaluation, outcomes)
    show_table(evaluation)
    refuse(outcomes)


def studied(stage: Stage[Params], evaluation: Evaluation, record: dict[str, Any], splits: Splits) -> Evaluation:
    """Return the evaluation with the findings of the studies that are asked for."""

    def chosen() -> Chosen:
        return chosen_model(record, splits.train, splits.valid)

    found = asked_studies(chosen, stage.params.evaluate, stage.state)
    findings = {**evaluation.inspected.findings, **found}
    return replace(evaluation, inspected=replace(evaluation.inspected, findings=findings)) if found else evaluation


def forget(stage: Stage[Params]) -> None:
    """Drop the checkpoints of the studies once the stage's outputs are vouched for."""
    remove(stage.state)


def measured(stage: Stage[Params], bundle: Bundle, splits: Splits, record: dict[str, Any]) -> dict[str, float]:
    """Return what the model costs, and write it to reports/cost.json."""
    options = getattr(stage.params.evaluate, "cost")  # noqa: B009  (a field made at run time)
    cost = measure_cost(bundle, stage.root / "models/candidate", splits.test.frame, options, record.get("figures", {}))
    write_json(stage.root / "reports/cost.json", cost)
    return cost


def publish(stage: Stage[Params], record: dict[str, Any], evaluation: Evaluation, outcomes: list[Outcome]) -> None:
    """Tell the tracker, and close the run as the gates say."""
    failed = [outcome for outcome in outcomes if not outcome.passed]
    with Tracker(stage.params.tracking, stage.root) as tracker:
        attempt, search = record["attempt"], record["search"]
        with tracker.candidate(attempt, search=search, tags=record_tags(record)) as run:
            run.metrics(evaluation_metrics(evaluation.to_dict()))
            run.metrics(cost_metrics(read_json(stage.root / "reports/cost.json")))
            for path, folder in ARTIFACTS.items():
                run.artifact(stage.root / path, folder)
            run.tags(shown_tables() | {"goodfit.gates": verdict_of(outcomes)})
            run.finish("FAILED" if failed else "FINISHED")


def verdict_of(outcomes: list[Outcome]) -> str:
    """Return the tag that says what the gates said."""
    failed = [f"{outcome.asked}; found {outcome.found}" for outcome in outcomes if not outcome.passed]
    return f"failed: {' | '.join(failed)}" if failed else "passed" if outcomes else "none"


def refuse(outcomes: list[Outcome]) -> None:
    """Fail the stage if a gate failed.

    Raises:
        GateError: with every gate that failed.
    """
    rule = "not passed: asked {}, found {}"
    remedy = "Everything is in reports/report.html. Mend the model or the data, or change the gate if it asks too much."
    faults = [
        Fault(f"params.yaml: evaluate.gates.{number}", rule.format(outcome.asked, outcome.found), None, remedy)
        for number, outcome in enumerate(outcomes)
        if not outcome.passed
    ]
    if faults:
        raise GateError(faults)


if __name__ == "__main__":
    run_stage("evaluate", Params, evaluate_candidate, last=forget)
