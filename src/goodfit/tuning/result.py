"""What a search found, and the two files that hold it."""

import csv
import io
import json
import math
import re
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from goodfit.files import write_text
from goodfit.tuning.axes import Axis, Space
from goodfit.tuning.dimension import Scalar
from goodfit.tuning.trial import Trial

PLAIN = re.compile(r"[A-Za-z_]\w*(\.\w+)+", re.ASCII)
EDGE = 0.02
"""A best value within this share of a range from its end may mean that the range should be wider."""
LEADERS = 300
"""Trials that are written down for an ensemble to be chosen from."""
COLUMNS = ("number", "state", "value", "epochs", "duration_s")


@dataclass(frozen=True)
class SearchResult:
    """The trials of a search, by number.

    Args:
        space: what was searched.
        trials: every finished trial.
        seconds: time spent, over all resumes.
        notes: what a user should know about the result, one sentence each.
        rescored: second looks at the best trials, each with a seed of its own.
        tolerance: of two objectives, the share by which the first may be above the best; None of one.
        against: the name of the second objective, if there is one.
    """

    space: Space = field(default_factory=Space)
    trials: tuple[Trial, ...] = ()
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
    rescored: tuple[Trial, ...] = ()
    tolerance: float | None = None
    against: str | None = None

    @property
    def best_trial(self) -> Trial | None:
        """The chosen trial, None without a search.

        It is the completed one with the lowest value, the earliest of equals; after second looks, that of the lowest
        mean of those alone, since the first value is what it was picked by; of two objectives, that with the lowest
        second one among those whose first is within the tolerance.
        """
        if self.tolerance is not None:
            return next(iter(leanest(self.trials, self.tolerance)), None)
        means = self.second_means
        if not means:
            return best_of(self.trials)
        number = min(means, key=lambda number: (means[number], number))
        return next(trial for trial in self.trials if trial.number == number)

    @property
    def second_means(self) -> dict[int, float]:
        """Trial number to the mean value of its second looks, where all of them completed."""
        values: dict[int, list[float | None]] = {}
        for look in self.rescored:
            values.setdefault(look.rescores or 0, []).append(look.value if look.state == "COMPLETE" else None)
        whole = {number: [v for v in looks if v is not None] for number, looks in values.items() if None not in looks}
        return {number: statistics.fmean(looks) for number, looks in whole.items()}

    def noting(self, notes: Iterable[str]) -> "SearchResult":
        """Return the same result with notes."""
        return replace(self, notes=tuple(notes))

    @property
    def best(self) -> dict[str, Scalar]:
        """What the best trial sets, by dotted option; empty without a search."""
        return self.space.overrides(self.best_trial.params) if self.best_trial else {}

    def write_trials_csv(self, path: Path) -> None:
        """Write one row per trial, atomically; everything but duration_s is the same in every run."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        second = () if self.against is None else (self.against,)
        writer.writerow([*COLUMNS, *second, *self.space.paths])
        for trial in self.trials:
            facts = [trial.number, trial.state, trial.value, trial.epochs, round(trial.duration_s, 3)]
            facts += [trial.against for _ in second]
            settings = [_cell(trial.params[name]) if name in trial.params else "" for name in self.space.paths]
            writer.writerow([*("" if fact is None else fact for fact in facts), *settings])
        write_text(path, text.getvalue())

    def write_rescored_csv(self, path: Path) -> None:
        """Write one row per second look, atomically: the trial, the seed and what came of it; none without any."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["trial", "seed", "state", "value", "epochs", "searched_value"])
        first = {trial.number: trial.value for trial in self.trials}
        for look in self.rescored:
            row = (look.rescores, look.seed, look.state, look.value, look.epochs, first.get(look.rescores or 0))
            writer.writerow(["" if fact is None else fact for fact in row])
        write_text(path, text.getvalue())

    def write_best(self, path: Path) -> None:
        """Write the best overrides as YAML 1.2, atomically; `{}` without a search."""
        lines = [f"{_yaml(name)}: {_yaml(value)}" for name, value in self.best.items()]
        write_text(path, "\n".join(lines or ["{}"]) + "\n")

    def write_leaders(self, path: Path) -> None:
        """Write the best trials as JSON, which is YAML: the chosen one, the completed ones by value, then who came far.

        Of two objectives, those that were close enough to be chosen come before the other completed ones. Who could
        have been chosen is `eligible`. Rungs let few trials complete, and an ensemble wants many; who lost late is
        trained to its end for one.
        """
        first = self.best_trial
        complete = ranked(self.trials)
        eligible = complete if self.tolerance is None else leanest(self.trials, self.tolerance)
        able = {trial.number for trial in eligible}
        every = eligible + [trial for trial in complete if trial.number not in able] + runners_up(self.trials)
        others = [trial for trial in every if first is None or trial.number != first.number]
        listed = [self._leader(trial, trial.number in able) for trial in [first, *others[: LEADERS - 1]] if trial]
        write_text(path, json.dumps({"leaders": listed}, indent=1) + "\n")

    def _leader(self, trial: Trial, eligible: bool) -> dict[str, Any]:
        overrides = self.space.overrides(trial.params)
        return {"trial": trial.number, "value": trial.value, "eligible": eligible, "overrides": overrides}


def runners_up(trials: Sequence[Trial]) -> list[Trial]:
    """Return the pruned trials, those that came furthest first, and of them those of the lowest value."""
    pruned = [trial for trial in trials if trial.state == "PRUNED" and trial.value is not None]
    return sorted(pruned, key=lambda trial: (-trial.epochs, trial.value, trial.number))


def ranked(trials: Sequence[Trial]) -> list[Trial]:
    """Return the completed trials, the lowest value first, the earliest of equals before the others."""
    complete = [trial for trial in trials if trial.state == "COMPLETE" and trial.value is not None]
    return sorted(complete, key=lambda trial: (trial.value, trial.number))


def best_of(trials: Sequence[Trial]) -> Trial | None:
    """Return the completed trial with the lowest value, the earliest of equals."""
    return next(iter(ranked(trials)), None)


def leanest(trials: Sequence[Trial], tolerance: float) -> list[Trial]:
    """Return the completed trials whose first objective is close to the best, the lowest second one first.

    Below zero all gaps are alike: a model that is worse on its train rows is not better for it.
    """
    complete = ranked(trials)
    lowest = next((trial.value or 0.0 for trial in complete), 0.0)
    near = [trial for trial in complete if (trial.value or 0.0) <= lowest + tolerance * abs(lowest)]
    return sorted(near, key=lambda trial: math.inf if trial.against is None else max(trial.against, 0.0))


def edge_notes(space: Space, best: dict[str, Scalar]) -> list[str]:
    """Return a sentence for each best value that lies at an end of its range, where a wider range would be legal."""
    return [note for axis in space.axes if axis.path in best and (note := _edge_note(axis, best[axis.path]))]


def _edge_note(axis: Axis, value: Any) -> str:
    if axis.dimension.choices is not None or axis.dimension.low == axis.dimension.high:
        return ""
    low, high = axis.dimension.ends
    scale = math.log if axis.dimension.log else float
    share = (scale(value) - scale(low)) / (scale(high) - scale(low))
    if share <= EDGE and axis.below:
        end = "lower"
    elif share >= 1 - EDGE and axis.above:
        end = "upper"
    else:
        return ""
    place = f"the {end} end of its range, {low} to {high}"
    return f"{axis.path}: the best value {value} lies at {place}; a wider one may be better."


def _cell(value: Scalar) -> str:
    """Return a setting as YAML and JSON write it; text stays as it is."""
    return value if isinstance(value, str) else json.dumps(value)


def _yaml(value: Scalar) -> str:
    """Return a value as YAML 1.2 that reads back as it is; ruamel's own writer loses some control characters."""
    if not isinstance(value, str):
        return json.dumps(value)
    if PLAIN.fullmatch(value):
        return value
    return '"' + "".join(c if c.isprintable() and c not in '"\\' else f"\\U{ord(c):08x}" for c in value) + '"'
