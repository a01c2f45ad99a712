"""Search the space of params.yaml on the train and valid rows.

Reads data/train.parquet and data/valid.parquet; the test rows are not among its dependencies. Writes the best settings
to artifacts/best.yaml, every trial to reports/trials.csv and every trial's curves to reports/trial_curves.csv.
"""

from pathlib import Path
from typing import Any

from goodfit.stage import Stage, run_stage, say  # isort: skip  (first, so that a failing import has its exit code)
from goodfit.data import Table, read_table
from goodfit.files import read_json, remove, write_json
from goodfit.params import check as checked
from goodfit.params import dotted, overlay, read_yaml
from goodfit.tracking import Run, Tracker, TrackingSection, record_tags, run_record
from goodfit.training import Epoch, FitSections, TrainingData, check_fit, fit, write_curves
from goodfit.tuning import Outcome, Proposal, Trial, TuneSection, one_by_one, resolve_space, search


class Params(FitSections):
    """The sections of params.yaml that decide the search."""

    tune: TuneSection = TuneSection()
    tracking: TrackingSection


def check(params: Params, tree: dict[str, Any]) -> None:
    """Refuse a space that proposes what no stage would accept; `goodfit check` calls this before anything runs."""
    resolve_space(params.tune, tree, FitSections)


class Trials:
    """Runs proposals, keeps their curves where a crash cannot take them, and tells the tracker."""

    def __init__(
        self, stage: Stage[Params], tree: dict[str, Any], tables: tuple[Table, Table], tracker: Tracker
    ) -> None:
        self.stage, self.tree, self.tables, self.tracker = stage, tree, tables, tracker
        params = dotted(checked(tree, FitSections, "params.yaml"))
        experiment = stage.params.tracking.experiment
        record = run_record(stage.root, attempt=stage.key, experiment=experiment, params=params, inputs=stage.inputs)
        self.tags = record_tags(record)
        self.parent = tracker.candidate(stage.key, search=stage.key, tags=self.tags)
        self.open: dict[int, Run] = {}

    def run(self, proposal: Proposal) -> Outcome:
        """Train one proposal, from its last epoch if a process before this one began it."""
        sections = checked(overlay(self.tree, proposal.overrides), FitSections, "params.yaml")
        run = self.opened(proposal.number, sections)
        data = TrainingData.of(*self.tables, sections.training.preprocessing)
        state = self.stage.state / "fits" / str(proposal.number)

        def on_epoch(epoch: Epoch) -> None:
            run.metrics(epoch.metrics, epoch.number)

        recipe = sections.recipe(self.tables[0].schema)
        fitted = fit(recipe, data, seed=proposal.seed, state=state, on_epoch=on_epoch, progress=False)
        write_json(self.curve(proposal.number), [{"epoch": e.number, **e.metrics} for e in fitted.epochs])
        return Outcome(proposal.number, "COMPLETE", fitted.valid_loss, len(fitted.epochs), fitted.seconds)

    def told(self, trial: Trial) -> None:
        """Close a finished trial's run; one of an earlier process may have ended before it could."""
        sections = checked(overlay(self.tree, trial.params), FitSections, "params.yaml")
        run = self.opened(trial.number, sections)
        for row in self.curves(trial.number) if trial.restored else []:
            run.metrics({name: value for name, value in row.items() if name != "epoch"}, int(row["epoch"]))
        if trial.value is not None:
            run.metrics({"objective": trial.value})
        run.finish_trial(trial.state, trial.error)
        remove(self.stage.state / "fits" / str(trial.number))

    def opened(self, number: int, sections: FitSections) -> Run:
        """Return the run of a trial, with every setting on it."""
        if number not in self.open:
            self.open[number] = self.tracker.trial(self.parent, number, params=dotted(sections), tags=self.tags)
        return self.open[number]

    def curve(self, number: int) -> Path:
        """Return where a trial's curve is kept."""
        return self.stage.state / "curves" / f"{number}.json"

    def curves(self, number: int) -> list[dict[str, float]]:
        """Return a trial's metrics by epoch; none when it failed before its end."""
        path = self.curve(number)
        rows: list[dict[str, float]] = read_json(path) if path.exists() else []
        return rows


def tune(stage: Stage[Params]) -> None:
    """Search, and write what was found."""
    tree = read_yaml(stage.root / "params.yaml")
    space = resolve_space(stage.params.tune, tree, FitSections)
    tree = {name: tree[name] for name in FitSections.model_fields if name in tree}
    tables = read_table(stage.root / "data/train.parquet"), read_table(stage.root / "data/valid.parquet")
    check_fit(stage.params.recipe(tables[0].schema), len(tables[0]))
    if stage.params.tune.trials == 0:
        result = search(stage.params.tune, space, stage.params.seed, stage.state, one_by_one(_never))
        curves: list[dict[str, float]] = []
    else:
        with Tracker(stage.params.tracking, stage.root) as tracker:
            trials = Trials(stage, tree, tables, tracker)
            with trials.parent:
                run = one_by_one(trials.run)
                result = search(stage.params.tune, space, stage.params.seed, stage.state, run, trials.told)
        curves = [{"number": trial.number, **row} for trial in result.trials for row in trials.curves(trial.number)]
    result.write_best(stage.root / "artifacts/best.yaml")
    result.write_trials_csv(stage.root / "reports/trials.csv")
    write_curves(stage.root / "reports/trial_curves.csv", curves, first=("number", "epoch"))
    for note in result.notes:
        say(f"tune: {note}")
    if result.best_trial:
        best = ", ".join(f"{name}={value}" for name, value in result.best.items())
        say(f"tune: best of {len(result.trials)} trials: valid/loss {result.best_trial.value:.4f} with {best}")


def _never(proposal: Proposal) -> Outcome:
    raise AssertionError(f"no trial was asked for, and {proposal.number} came")


def forget(stage: Stage[Params]) -> None:
    """Drop the journal once the stage's outputs are vouched for."""
    remove(stage.state)


if __name__ == "__main__":
    run_stage("tune", Params, tune, last=forget)
