"""Train the best settings and write the model bundle.

Reads data/train.parquet, data/valid.parquet and artifacts/best.yaml. Writes models/candidate/, run.json and
reports/training.csv, and opens or adopts the candidate run.
"""

import resource
import sys
from dataclasses import replace
from pathlib import Path

from goodfit.stage import Stage, run_stage, say  # isort: skip  (first, so that a failing import has its exit code)
from goodfit.bundle import Bundle, save_bundle
from goodfit.calibration import CalibrationSection, calibrated, check_calibration
from goodfit.data import Table, read_table
from goodfit.files import remove, write_json
from goodfit.params import dotted, load_params, read_yaml
from goodfit.tracking import Run, Tracker, TrackingSection, record_tags, run_record, search_attempt
from goodfit.training import (
    Epoch,
    FitSections,
    Fitted,
    RefitSection,
    Refitted,
    TrainingData,
    fit,
    refit,
    with_refit,
    write_curves,
)

EXAMPLE_ROWS = 5
AFTER_THE_FIT = (
    "refit",
    "calibration",
    "tracking",
    "src/goodfit/calibration",
    "src/goodfit/thresholds",
    "src/goodfit/tracking",
)
"""Sections and code that this stage reads and that decide no weight of the first fit."""


class Params(FitSections):
    """The sections of params.yaml that decide the training, and how scores become answers."""

    refit: RefitSection = RefitSection()
    calibration: CalibrationSection = CalibrationSection()
    tracking: TrackingSection


def train(stage: Stage[Params]) -> None:
    """Fit, calibrate, write the bundle, and record the candidate."""
    root, section = stage.root, stage.params.tracking
    sections = load_params(root / "params.yaml", FitSections, read_yaml(root / "artifacts/best.yaml"))
    tables = read_table(root / "data/train.parquet"), read_table(root / "data/valid.parquet")
    check_calibration(stage.params.calibration, tables[0].schema.task)
    search, params = search_attempt(root), dotted(sections) | dotted(stage.params.calibration, "calibration.")
    params |= dotted(stage.params.refit, "refit.")
    record = run_record(
        root, attempt=stage.key, experiment=section.experiment, params=params, inputs=stage.inputs, search=search
    )
    with (
        Tracker(section, root) as tracker,
        tracker.candidate(stage.key, search=search, params=params, tags=record_tags(record)) as run,
    ):
        run.inputs({path: md5 for path, md5 in stage.inputs.items() if path.startswith("data/")})
        fitted, again = fitted_bundle(stage, sections, tables, run)
        figures = figures_of(fitted) | (again.figures if again else {})
        run.metrics(figures)
        for path in ("params.yaml", "artifacts/best.yaml", "reports/training.csv"):
            run.artifact(root / path)
        example = tables[0].frame[[column.name for column in tables[0].schema.features]].head(EXAMPLE_ROWS)
        run.model(root / "models/candidate", example, tables[0].schema.classes)
        tracker.flush()
        found = {"run_id": run.id, "figures": figures, "machine": dict(fitted.machine)}
        write_json(root / "run.json", record | found)
    best = fitted.epochs[fitted.best_epoch - 1].metrics
    say(
        f"train: {fitted.parameters:,} parameters, {len(fitted.epochs)} epochs, kept epoch {fitted.best_epoch}: "
        f"train/loss {best['train/loss']:.4f}, valid/loss {best['valid/loss']:.4f}"
    )


def fitted_bundle(
    stage: Stage[Params], sections: FitSections, tables: tuple[Table, Table], run: Run
) -> tuple[Fitted, Refitted | None]:
    """Fit, calibrate, fit again if asked to, and write models/candidate and reports/training.csv."""

    def on_epoch(epoch: Epoch) -> None:
        run.metrics(epoch.metrics, epoch.number)

    schema = tables[0].schema
    data = TrainingData.of(*tables, sections.training.preprocessing)
    fitted = fit(sections.recipe(schema), data, seed=sections.seed, state=fit_state(stage), on_epoch=on_epoch)
    bundle = Bundle(schema, data.preprocessor, sections.model, sections.regularization, fitted.model)
    bundle = calibrated(bundle, tables[1], stage.params.calibration)
    curve: list[dict[str, float]] = [{"epoch": epoch.number, **epoch.metrics} for epoch in fitted.epochs]
    again = None
    if stage.params.refit.enabled:
        again = fitted_again(stage, sections, tables, fitted, run)
        preprocessor, model = again.data.preprocessor, again.fitted.model
        bundle = replace(bundle, preprocessor=preprocessor, model=model, trained_on=("train", "valid"))
        curve = with_refit(curve, again)
    save_bundle(stage.root / "models/candidate", bundle)
    write_curves(stage.root / "reports/training.csv", curve, first=("epoch",))
    return fitted, again


def fitted_again(
    stage: Stage[Params], sections: FitSections, tables: tuple[Table, Table], fitted: Fitted, run: Run
) -> Refitted:
    """Fit on train and valid rows, for the epochs that were best on valid."""

    def on_epoch(epoch: Epoch) -> None:
        run.metrics({"refit/loss": epoch.metrics["train/loss"]}, epoch.number)

    state = refit_state(stage)
    recipe = sections.recipe(tables[0].schema)
    again = refit(recipe, tables, fitted, seed=sections.seed, state=state, on_epoch=on_epoch)
    rows = len(again.data.train_target)
    say(f"train: trained again on {rows:,} train and valid rows, for {len(again.fitted.epochs)} epochs")
    return again


def figures_of(fitted: Fitted) -> dict[str, float]:
    """Return what the training cost, and which epoch was kept."""
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, KiB elsewhere
    return {
        "cost/seconds": fitted.seconds,
        "cost/cpu_seconds": fitted.cpu_seconds,
        "cost/peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6,
        "cost/parameters": fitted.parameters,
        "best_epoch": fitted.best_epoch,
    }


def fit_state(stage: Stage[Params]) -> Path:
    """Return where the checkpoints of this fit lie: an edit of what does not decide the weights finds them again."""
    return stage.state_without(*AFTER_THE_FIT)


def refit_state(stage: Stage[Params]) -> Path:
    """Return where the checkpoints of the second fit lie."""
    first = fit_state(stage)
    return first.with_name(f"{first.name}-refit")


def forget(stage: Stage[Params]) -> None:
    """Drop the checkpoints of other fits; those of these let the next calibration do without training."""
    kept = (fit_state(stage), refit_state(stage))
    for folder in kept[0].parent.glob("*"):
        if folder not in kept:
            remove(folder)


if __name__ == "__main__":
    run_stage("train", Params, train, last=forget)
