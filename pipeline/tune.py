"""Search the space of params.yaml on the train and valid rows.

Reads data/train.parquet and data/valid.parquet; the test rows are not among its dependencies. Writes the best settings
to artifacts/best.yaml, those of the best trials to artifacts/leaders.json, every trial to reports/trials.csv, its
curves to reports/trial_curves.csv, every second look to reports/rescored.csv, and the search as a page and a journal to
reports/search.
"""

from typing import Any

from goodfit.stage import Stage, run_stage, say  # isort: skip  (first, so that a failing import has its exit code)
from goodfit.data import Table, read_table
from goodfit.errors import ServiceError
from goodfit.files import read_json, remove, write_json
from goodfit.params import check as checked
from goodfit.params import dotted, overlay, read_yaml
from goodfit.tracking import Run, Tracker, TrackingSection, champion_settings, record_tags, run_record
from goodfit.training import FitSections, check_fit, write_curves
from goodfit.tuning import SearchResult, SearchSections, Space, Trial, TuneSection, resolve_space, search, starts_of
from goodfit.tuning.folds import fold_tables
from goodfit.tuning.picture import write_pictures
from goodfit.tuning.population import PopulationRunner, Prepared

NAMES = {"gap": "generalization_gap/kept"}
"""Figures of a trial that are no cost."""


class Params(SearchSections):
    """The sections of params.yaml that decide the search."""

    tracking: TrackingSection


def check(params: Params, tree: dict[str, Any]) -> None:
    """Refuse a space that proposes what no stage would accept; `goodfit check` calls this before anything runs."""
    resolve_space(params.tune, tree, FitSections)


class Recorder:
    """Tells the tracker of every trial that has ended, whole and once."""

    def __init__(self, stage: Stage[Params], tree: dict[str, Any], space: Space, tracker: Tracker) -> None:
        self.tree, self.space, self.tracker, self.best = tree, space, tracker, float("inf")
        params = dotted(checked(tree, FitSections, "params.yaml"))
        experiment = stage.params.tracking.experiment
        record = run_record(stage.root, attempt=stage.key, experiment=experiment, params=params, inputs=stage.inputs)
        self.tags = record_tags(record)
        self.parent = tracker.candidate(stage.key, search=stage.key, tags=self.tags)
        self.runs: dict[int, Run] = {}

    def told(self, trial: Trial) -> None:
        """Record a trial, and how far the search has come; a second look is recorded at the end."""
        if trial.rescores is not None:
            return
        params = dotted(checked(overlay(self.tree, self.space.overrides(trial.params)), FitSections, "params.yaml"))
        figures = {"objective": trial.value} if trial.value is not None else {}
        self.runs[trial.number] = self.tracker.finished_trial(
            self.parent,
            trial.number,
            state=trial.state,
            params=params,
            curves=trial.curves,
            metrics=figures | {NAMES.get(name, f"cost/{name}"): value for name, value in trial.figures.items()},
            seconds=trial.duration_s,
            tags={**self.tags, "goodfit.origin": trial.origin},
            error=trial.error,
        )
        if trial.state == "COMPLETE" and trial.value is not None:
            self.best = min(self.best, trial.value)
            self.parent.metrics({"search/best": self.best}, trial.number)

    def done(self, stage: Stage[Params], result: SearchResult) -> None:
        """Record what the second looks came to, and the pictures of the search."""
        for number, mean in result.second_means.items():
            self.runs[number].metrics({"objective/rescored": mean})
        self.parent.artifact(stage.root / "reports/search", "")


def tune(stage: Stage[Params]) -> None:
    """Search, and write what was found."""
    tree = read_yaml(stage.root / "params.yaml")
    tables = read_table(stage.root / "data/train.parquet"), read_table(stage.root / "data/valid.parquet")
    section = stage.params.tune.settled(tables[0].schema.task, len(tables[0]))
    space = resolve_space(section, tree, FitSections)
    tree = {name: tree[name] for name in FitSections.model_fields if name in tree}
    tree = overlay(tree, {"training.batch_size": stage.params.settled(len(tables[0])).training.batch_size})
    check_fit(stage.params.recipe(tables[0].schema), len(tables[0]))
    runner = PopulationRunner(section, tree, Prepared(folds(stage.params, tables)), stage.state)
    champion = champion_of(stage) if section.champion and section.trials else {}
    task = tables[0].schema.task
    starts = starts_of(tree, space, FitSections, task, champion=champion, shipped=section.warm_start)
    if champion and not starts_of(tree, space, FitSections, task, champion=champion, shipped=False):
        say("tune: the champion's settings do not lie inside tune.space: the search begins without them.", stderr=True)
    if section.learns_nothing:
        say(f"tune: {section.learns_nothing}.", stderr=True)
    if section.trials == 0:
        result = search(section, space, stage.params.seed, stage.state, runner)
        write(stage, section, result)
    else:
        with Tracker(stage.params.tracking, stage.root) as tracker:
            recorder = Recorder(stage, tree, space, tracker)
            with recorder.parent:
                told = recorder.told
                result = search(section, space, stage.params.seed, stage.state, runner, told, starts=starts)
                write(stage, section, result)
                recorder.done(stage, result)
    for note in result.notes:
        say(f"tune: {note}")
    if result.best_trial:
        rounded = {name: f"{v:.4g}" if isinstance(v, float) else v for name, v in result.best.items()}
        best = ", ".join(f"{name}={value}" for name, value in rounded.items())
        say(f"tune: best of {len(result.trials)} trials: valid/loss {result.best_trial.value:.4f} with {best}")


def champion_of(stage: Stage[Params]) -> dict[str, Any]:
    """Return the champion's settings as they were when this search began; a store that is down does not end it."""
    kept = stage.state / "champion.json"
    if kept.exists():
        found: dict[str, Any] = read_json(kept)
        return found
    try:
        settings = champion_settings(stage.params.tracking, stage.root)
    except ServiceError as error:
        say(f"tune: the search begins without the champion's settings: {error}", stderr=True)
        settings = {}
    write_json(kept, settings)
    return settings


def folds(params: Params, tables: tuple[Table, Table]) -> list[tuple[Table, Table]]:
    """Return train and valid rows of each fold; without folds, those of the split."""
    if not params.tune.folds:
        return [tables]
    return fold_tables(*tables, params.tune.folds, params.seed)


def write(stage: Stage[Params], section: TuneSection, result: SearchResult) -> None:
    """Write the files of a search."""
    result.write_best(stage.root / "artifacts/best.yaml")
    result.write_leaders(stage.root / "artifacts/leaders.json")
    result.write_trials_csv(stage.root / "reports/trials.csv")
    result.write_rescored_csv(stage.root / "reports/rescored.csv")
    curves = [{"number": trial.number, **row} for trial in result.trials for row in trial.epoch_rows]
    write_curves(stage.root / "reports/trial_curves.csv", curves, first=("number", "epoch"))
    write_pictures(stage.root / "reports/search", result, section, stage.state)


def forget(stage: Stage[Params]) -> None:
    """Drop the journal once the stage's outputs are vouched for."""
    remove(stage.state)


if __name__ == "__main__":
    run_stage("tune", Params, tune, last=forget)
