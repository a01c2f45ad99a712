"""What a search found, and the two files that hold it."""

import csv
import io
import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from goodfit.files import write_text
from goodfit.tuning.section import Scalar
from goodfit.tuning.space import EDGE, Axis, Space
from goodfit.tuning.trial import Trial

PLAIN = re.compile(r"[A-Za-z_]\w*(\.\w+)+", re.ASCII)
COLUMNS = ("number", "state", "value", "epochs", "duration_s")


@dataclass(frozen=True)
class SearchResult:
    """The trials of a search, by number.

    Args:
        space: what was searched.
        trials: every finished trial.
        seconds: time spent, over all resumes.
        notes: what a user should know about the result, one sentence each.
    """

    space: Space = field(default_factory=Space)
    trials: tuple[Trial, ...] = ()
    seconds: float = 0.0
    notes: tuple[str, ...] = ()

    @property
    def best_trial(self) -> Trial | None:
        """The completed trial with the lowest value, the earliest of equals; None without a search."""
        return best_of(self.trials)

    @property
    def best(self) -> dict[str, Scalar]:
        """Dotted option to the best trial's value; empty without a search."""
        return dict(self.best_trial.params) if self.best_trial else {}

    def write_trials_csv(self, path: Path) -> None:
        """Write one row per trial, atomically; everything but duration_s is the same in every run."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([*COLUMNS, *self.space.paths])
        for trial in self.trials:
            facts = (trial.number, trial.state, trial.value, trial.epochs, round(trial.duration_s, 3))
            settings = [_cell(trial.params[name]) for name in self.space.paths]
            writer.writerow([*("" if fact is None else fact for fact in facts), *settings])
        write_text(path, text.getvalue())

    def write_best(self, path: Path) -> None:
        """Write the best overrides as YAML 1.2, atomically; `{}` without a search."""
        lines = [f"{_yaml(name)}: {_yaml(value)}" for name, value in self.best.items()]
        write_text(path, "\n".join(lines or ["{}"]) + "\n")


def best_of(trials: Sequence[Trial]) -> Trial | None:
    """Return the completed trial with the lowest value, the earliest of equals."""
    complete = [
        (trial.value, trial.number, trial) for trial in trials if trial.state == "COMPLETE" and trial.value is not None
    ]
    return min(complete, default=(0.0, 0, None))[2]


def edge_notes(space: Space, best: dict[str, Scalar]) -> list[str]:
    """Return a sentence for each best value that lies at an end of its range, where a wider range would be legal."""
    return [note for axis in space.axes if (note := _edge_note(axis, best[axis.path]))]


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
