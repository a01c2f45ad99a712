"""Train the best settings and write the model bundle.

Reads data/train.parquet, data/valid.parquet, artifacts/best.yaml and, for an ensemble, artifacts/leaders.json. Writes
models/candidate/, run.json and reports/training.csv, and opens or adopts the candidate run.
"""

import resource
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from goodfit.stage import Stage, run_stage, say  # isort: skip  (first, so that a failing import has its exit code)
from goodfit.bundle import Bundle, save_bundle
from goodfit.calibration import CalibrationSection, calibrated, check_calibration
from goodfit.data import Table, read_table
from goodfit.ensembling import OWN, TrainSection, Volume, assembled_of, mates, read_leaders, refitted, trained
from goodfit.files import remove, write_json
from goodfit.params import dotted, load_params, read_yaml
from goodfit.tracking import Run, Tracker, TrackingSection, record_tags, run_record, search_attempt
from goodfit.training import (
    Epoch,
    FitSections,
    Fitted,
    Found,
    Refitted,
    TrainingData,
    fit,
    refit,
    with_refit,
    write_curves,
)

EXAMPLE_ROWS = 5
AFTER_THE_FIT = (
    *("train", "calibration", "tracking"),
    *("src/goodfit/calibration", "src/goodfit/ensembling", "src/goodfit/thresholds", "src/goodfit/tracking"),
)
"""Sections and code that this stage reads and that decide no weight of the first fit."""


class Params(FitSections):
    """The sections of params.yaml that decide the training, and how scores become answers."""

    train: TrainSection = TrainSection()
    calibration: CalibrationSection = CalibrationSection()
    tracking: TrackingSection


def train(stage: Stage[Params]) -> None:
    """Fit, calibrate, write the bundle, and record the candidate."""
    root, section = stage.root, stage.params.tracking
    tables = read_table(root / "data/train.parquet"), read_table(root / "data/valid.parquet")
    sections = settled(root, read_yaml(root / "artifacts/best.yaml"), tables[0])
    check_calibration(stage.params.calibration, tables[0].schema.task)
    own = dotted(stage.params.train, "train.") | dotted(stage.params.calibration, "calibration.")
    search, params = search_attempt(root), dotted(sections) | own
    beside = mates_of(stage, sections, tables[0])
    record = run_record(
        root, attempt=stage.key, experiment=section.experiment, params=params, inputs=stage.inputs, search=search
    )
    with (
        Tracker(section, root) as tracker,
        tracker.candidate(stage.key, search=search, params=params, tags=record_tags(record)) as run,
    ):
        run.inputs({path: md5 for path, md5 in stage.inputs.items() if path.startswith("data/")})
        fitted, bundle, again = fitted_bundle(stage, sections, beside, tables, run)
        figures = figures_of(fitted, bundle) | (again.figures if again else {})
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


def settled(root: Path, overrides: Mapping[str, Any], rows: Table) -> FitSections:
    """Return the settings of params.yaml with what the search found, and with what the train rows decide."""
    return load_params(root / "params.yaml", FitSections, overrides).settled(len(rows))


def mates_of(stage: Stage[Params], sections: FitSections, rows: Table) -> dict[int, FitSections]:
    """Return what is trained beside the best settings, for an ensemble: sections by trial; mostly none."""
    section = stage.params.train
    size = section.library
    if size == 1:
        return {}
    leaders, alike = read_leaders(stage.root / "artifacts/leaders.json")[1:], section.votes == "equal"
    others = {one.trial: settled(stage.root, one.overrides, rows) for one in leaders if one.eligible or not alike}
    return mates(sections, others, size - 1, new_seeds=0.0 if alike else 0.5)


def fitted_bundle(
    stage: Stage[Params], sections: FitSections, beside: dict[int, FitSections], tables: tuple[Table, Table], run: Run
) -> tuple[Fitted, Bundle, Refitted | None]:
    """Fit, choose, calibrate, fit again if asked to, and write models/candidate and reports/training.csv."""

    def on_epoch(epoch: Epoch) -> None:
        run.metrics(epoch.metrics, epoch.number)

    schema = tables[0].schema
    data = TrainingData.of(*tables, sections.training.preprocessing)
    fitted = fit(sections.recipe(schema), data, seed=sections.seed, state=fit_state(stage), on_epoch=on_epoch)
    bundle = Bundle(schema, data.preprocessor, sections.model, sections.regularization, fitted.model)
    volumes = [Volume(OWN, sections.model, sections.regularization, fitted)]
    if beside:
        bundle, volumes = chosen(stage, bundle, volumes[0], beside, data)
    bundle = own_temperature(calibrated(bundle, tables[1], stage.params.calibration), tables[1], stage)
    curve: list[dict[str, float]] = [{"epoch": epoch.number, **epoch.metrics} for epoch in fitted.epochs]
    again = None
    if stage.params.train.refit:
        every = {OWN: sections, **beside}
        found = [one.found(every[one.trial], schema) for one in volumes]
        own = [place for place, one in enumerate(volumes) if one.trial == OWN]
        again = trained_again(stage, found, tables, run, shown=own[0] if own else 0)
        bundle, curve = refitted(bundle, again), with_refit(curve, again)
    save_bundle(stage.root / "models/candidate", bundle)
    write_curves(stage.root / "reports/training.csv", curve, first=("epoch",))
    return fitted, bundle, again


def trained_again(
    stage: Stage[Params], found: list[Found], tables: tuple[Table, Table], run: Run, shown: int
) -> Refitted:
    """Fit each chosen model on train and valid rows, for the epochs that were best on valid.

    The run and the curve show one of them: that of the best settings, as the first fit does, where it has a vote.
    """

    def on_epoch(place: int, epoch: Epoch) -> None:
        if place == shown:
            run.metrics({"refit/loss": epoch.metrics["train/loss"]}, epoch.number)

    again = replace(refit(found, tables, fit_state(stage) / "refit", on_epoch), shown=shown)
    epochs = ", ".join(str(len(one.epochs)) for one in again.fitted)
    say(f"train: trained again on {len(again.data.train_target):,} train and valid rows, for {epochs} epochs")
    return again


def chosen(
    stage: Stage[Params], best: Bundle, own: Volume, beside: dict[int, FitSections], data: TrainingData
) -> tuple[Bundle, list[Volume]]:
    """Return the ensemble and its models; the best alone where the valid rows choose and no other helps it."""
    section = stage.params.train
    seeds = sum(trial < OWN for trial in beside)
    others = f"{len(beside) - seeds} other settings of the search and the best ones from {seeds} other seeds"
    say(f"train: {others}, for an ensemble")
    library = [own, *trained(beside, best.schema, data, fit_state(stage) / "ensemble")]
    bundle, selection = assembled_of(library, best, data, None if section.votes == "equal" else section.ensemble)
    first, last = selection.losses[0], selection.losses[-1]
    say(
        f"train: {len(bundle.parts)} models predict together with {sum(selection.votes)} votes: valid/loss {last:.4f}, "
        f"the best alone {first:.4f}"
        if bundle.parts
        else f"train: one model alone, because no other {'could be trained' if len(library) == 1 else 'helps it'}: "
        f"valid/loss {first:.4f}"
    )
    return bundle, [library[place] for place in selection.members]


def own_temperature(bundle: Bundle, valid: Table, stage: Stage[Params]) -> Bundle:
    """Return an ensemble whose best model has a temperature of its own, so that the two can be compared."""
    if not bundle.parts:
        return bundle
    alone = calibrated(bundle.best_part, valid, stage.params.calibration)
    return replace(bundle, parts=(replace(bundle.parts[0], temperature=alone.temperature), *bundle.parts[1:]))


def figures_of(fitted: Fitted, bundle: Bundle) -> dict[str, float]:
    """Return what the training cost, and which epoch was kept."""
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, KiB elsewhere
    return {
        "cost/seconds": fitted.seconds,
        "cost/cpu_seconds": fitted.cpu_seconds,
        "cost/peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6,
        "cost/parameters": sum(parameter.numel() for parameter in bundle.model.parameters()),
        "best_epoch": fitted.best_epoch,
    }


def fit_state(stage: Stage[Params]) -> Path:
    """Return where the checkpoints of this fit lie: an edit of what does not decide the weights finds them again."""
    return stage.state_without(*AFTER_THE_FIT)


def forget(stage: Stage[Params]) -> None:
    """Drop the checkpoints of other fits; those of this one let the next calibration do without training."""
    kept = fit_state(stage)
    for folder in kept.parent.glob("*"):
        if folder != kept:
            remove(folder)


if __name__ == "__main__":
    run_stage("train", Params, train, last=forget)
