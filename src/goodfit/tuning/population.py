"""Train a batch of proposals as one population, each as one member for every fold and seed."""

import statistics
import time
import traceback
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from goodfit.bundle import tensor
from goodfit.data import Schema, Table
from goodfit.files import remove
from goodfit.params import check, overlay
from goodfit.preprocessing import PreprocessingSection
from goodfit.training import (
    GAP,
    Candidate,
    Epoch,
    Finished,
    FitSections,
    Pause,
    Relay,
    RowStore,
    TrainingData,
    fit_population,
    judged_by,
)
from goodfit.tuning.batch import Batch
from goodfit.tuning.decisions import overrides
from goodfit.tuning.judging import Judge, mean_curve
from goodfit.tuning.pruners import PRUNERS, NonePruner, Pruner
from goodfit.tuning.section import TuneSection
from goodfit.tuning.trial import Outcome, Paused, Proposal, State, derived_seed

PASSES = 10
"""Predictions of the valid rows whose median is a model's latency."""


FEW = 2
"""When so many trials of a batch are left, and at most a third of it, the next batch joins them. Measured on churn (64
trials, five seeds, two cores) beside 1: 5 to 10 % fewer seconds, and a best loss that differs by -.0013 to .0003."""


class Prepared:
    """Preprocessed rows in memory: made once for each fold and each setting of preprocessing.

    Args:
        folds: train and valid rows of each.
    """

    def __init__(self, folds: list[tuple[Table, Table]]) -> None:
        self._folds = folds
        self._made: dict[tuple[int, str], TrainingData] = {}

    def __len__(self) -> int:
        return len(self._folds)

    @property
    def schema(self) -> Schema:
        """What the columns mean."""
        return self._folds[0][0].schema

    def of(self, fold: int, section: PreprocessingSection) -> TrainingData:
        """Return a fold's rows; the preprocessor is fitted on the train rows of that fold alone."""
        key = (fold, section.model_dump_json())
        if key not in self._made:
            self._made[key] = TrainingData.of(*self._folds[fold], section)
        return self._made[key]


class PopulationRunner:
    """Runs batches (see `RunBatch`).

    Args:
        section: the `tune` section.
        tree: the sections that a trial reads, as params.yaml has them.
        data: rows of each fold.
        state: folder for checkpoints of the batch that trains.
    """

    def __init__(self, section: TuneSection, tree: Mapping[str, Any], data: Prepared, state: Path) -> None:
        self._section, self._tree, self._data, self._state = section, tree, data, state
        self._rows, self._relay = RowStore(), Relay()

    def __call__(self, batch: Batch) -> Iterator[Outcome | Paused]:
        """Train what the batch owes; the whole batch goes to the engine, whose checkpoints know what has ended."""
        began = time.monotonic()
        seeds = 1 if batch.proposals[0].rescores is not None else self._section.seeds
        replicas = len(self._data) * seeds
        state, before, old = (self._state / "fits" / str(batch.place - back) for back in range(3))
        remove(old)  # whatever went on from there is in the journal: that this batch was asked for is on disk
        paused = {trial.number for trial in batch.paused}
        pruner = self._pruner(batch)
        foreseen = not isinstance(pruner, NonePruner)  # else nobody asks
        candidates: list[Candidate] = []
        for proposal in batch.proposals:
            try:
                begun = before if proposal.number in paused else None
                candidates += self._members(proposal, seeds, begun, foreseen)
            except Exception:  # these settings are wrong together, which each alone did not show
                yield from _failed(batch, proposal, traceback.format_exc())
        if not candidates:
            return
        late = self._clock(batch.spent_seconds, began)
        epochs = {one.number // replicas: one.recipe.training.epochs for one in candidates}
        steps = {one.number // replicas: one.steps for one in candidates}
        judge = Judge(pruner, batch, replicas, epochs, self._limit(batch), late, steps)

        few = min(FEW, (len(batch.proposals) - len(paused)) // 3)

        def pause(running: Collection[int]) -> bool:
            """A few trials alone would leave cores idle."""
            new = {number // replicas for number in running} - paused
            return batch.may_pause and not judge.over and len(new) <= few

        owed = {one.number for one in batch.owed}
        pausing = False
        for found in self._trained(candidates, judge, pause, replicas, state, owed):
            pausing = pausing or isinstance(found, Paused)
            yield found
        if not pausing:
            remove(state)

    def _trained(
        self, candidates: list[Candidate], judge: Judge, pause: Pause, replicas: int, state: Path, owed: set[int]
    ) -> Iterator[Outcome | Paused]:
        members = {one.number: Member(one) for one in candidates}

        def on_epoch(number: int, epoch: Epoch) -> None:
            members[number].heard(epoch)
            judge.heard(number, epoch.number, epoch.metrics[judged_by(epoch.metrics)])

        engine = fit_population(
            candidates,
            state=state,
            judge=judge,
            pause=pause,
            on_epoch=on_epoch,
            rows=self._rows,
            relay=self._relay,
            lead=judge.lead if self._section.timeout is None else None,
        )
        for finished in engine:
            member = members[finished.number]
            member.end(finished, self._section.against)
            first = finished.number // replicas * replicas
            team = [members[number] for number in range(first, first + replicas)]
            if finished.number // replicas in owed and all(one.finished for one in team):
                yield joined(finished.number // replicas, team)

    def _members(self, proposal: Proposal, seeds: int, begun: Path | None, foreseen: bool) -> list[Candidate]:
        settings = overrides(self._section.space, proposal.overrides)
        sections = check(overlay(self._tree, settings), FitSections, "params.yaml")
        first = proposal.number * len(self._data) * seeds
        pairs = [(fold, index) for fold in range(len(self._data)) for index in range(seeds)]
        return [
            Candidate(
                first + place,
                sections.recipe(self._data.schema),
                derived_seed(proposal.seed, "replica", place) if place else proposal.seed,
                self._data.of(fold, sections.training.preprocessing),
                begun=begun,
                foreseen=foreseen,
                keeps_weights=self._section.against == "latency",  # else nothing is asked of the models
            )
            for place, (fold, _) in enumerate(pairs)
        ]

    def _pruner(self, batch: Batch) -> Pruner:
        again = batch.proposals[0].rescores is not None
        return NonePruner() if again else PRUNERS.build(self._section.pruner)

    def _limit(self, batch: Batch) -> int | None:
        return None if batch.proposals[0].rescores is not None else self._section.epochs

    def _clock(self, before: float, began: float) -> Callable[[], bool]:
        limit = self._section.timeout
        return lambda: limit is not None and before + time.monotonic() - began >= limit


class Member:
    """One training of a trial, as far as it has come."""

    def __init__(self, candidate: Candidate) -> None:
        self.candidate = candidate
        self.epochs: dict[int, Epoch] = {}
        self.state, self.error, self.value = "", "", 0.0
        self.figures: dict[str, float] = {}

    @property
    def finished(self) -> bool:
        """Whether it has ended, in whatever way."""
        return bool(self.state)

    @property
    def seconds(self) -> float:
        """Seconds of all its epochs."""
        return sum(epoch.seconds for epoch in self.epochs.values())

    def heard(self, epoch: Epoch) -> None:
        """Take an epoch; one that is reported again after a crash takes its own place."""
        self.epochs[epoch.number] = epoch

    def curve(self, metric: str) -> list[float]:
        """Return a metric after each epoch."""
        return [self.epochs[number].metrics[metric] for number in sorted(self.epochs)]

    def end(self, finished: Finished, against: str | None) -> None:
        """Take how it ended, with the figure that is the second objective, and let the model go."""
        self.state, self.error = finished.state, finished.error
        if not finished.best_epoch:
            return
        best = self.epochs[finished.best_epoch].metrics
        if finished.state == "COMPLETE":
            self.value = best["valid/loss"]
        self.figures = {"parameters": float(finished.parameters)}
        if against == "gap":
            self.figures["gap"] = best[GAP]
        if finished.fitted is not None:
            self.figures["latency"] = _latency(finished.fitted.model, self.candidate.data)


def joined(number: int, team: list[Member]) -> Outcome | Paused:
    """Return what the folds and seeds of a trial came to: their mean; a failure of one is the trial's."""
    epochs = max(len(member.epochs) for member in team)
    seconds = sum(member.seconds for member in team)
    metrics = {name for member in team for epoch in member.epochs.values() for name in epoch.metrics}
    curves = {name: list(mean_curve([member.curve(name) for member in team])) for name in sorted(metrics)}
    judged = judged_by(curves)
    replicas = [member.curve(judged) for member in team] if len(team) > 1 else []
    broken = [member for member in team if member.state == "FAIL"]
    if broken:
        return Outcome(number, "FAIL", None, epochs, seconds, broken[0].error, curves, replicas)
    complete = all(member.state == "COMPLETE" for member in team)
    state: State = "COMPLETE" if complete else "PRUNED"
    value = statistics.fmean(member.value for member in team) if complete else min(curves[judged])
    names = {name for member in team for name in member.figures}
    figures = {name: statistics.fmean(m.figures[name] for m in team if name in m.figures) for name in sorted(names)}
    outcome = Outcome(number, state, value, epochs, seconds, "", curves, replicas, figures)
    return Paused(outcome) if any(member.state == "PAUSED" for member in team) else outcome


def _failed(batch: Batch, proposal: Proposal, error: str) -> Iterator[Outcome]:
    if proposal in batch.owed:
        yield Outcome(proposal.number, "FAIL", error=error)


def _latency(model: torch.nn.Module, data: TrainingData) -> float:
    """Return the median milliseconds to predict the valid rows."""
    inputs = tensor(data.valid.numeric), tensor(data.valid.categorical)
    taken = []
    with torch.inference_mode():
        for _ in range(PASSES):
            began = time.perf_counter()
            model(*inputs)
            taken.append(1000 * (time.perf_counter() - began))
    return statistics.median(taken)
