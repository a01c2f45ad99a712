"""The contract of an inspection: one question asked of the judged model, and what was found."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup
from numpy.typing import NDArray

from goodfit.bundle import Bundle
from goodfit.data import Schema, Table, Task
from goodfit.errors import Fault
from goodfit.evaluation.bootstrap_section import BootstrapSection
from goodfit.preprocessing import Preprocessor
from goodfit.registry import Registry


@dataclass(frozen=True)
class Subject:
    """What is inspected; built once per evaluation.

    Args:
        bundle: the model as saved.
        schema, task, seed: shorthands; a member draws from `numpy.random.default_rng((seed, <number of its own>))`.
        tables: split to raw rows: train, valid, test.
        targets: split to class indices int64 [n], or values float64 [n] in target units.
        predictions: split to probabilities float64 [n, k] or values [n], from the bundle as saved.
        groups: split to the group of each row [n], None where rows stand alone.
        metric: the metric that gives the verdict.
        bootstrap: how intervals are made.
    """

    bundle: Bundle
    schema: Schema
    task: Task
    seed: int
    tables: Mapping[str, Table]
    targets: Mapping[str, NDArray[Any]]
    predictions: Mapping[str, NDArray[np.float64]]
    groups: Mapping[str, NDArray[Any] | None]
    metric: str
    bootstrap: BootstrapSection


@dataclass(frozen=True)
class Finding:
    """What an inspection found, ready for metrics.json, CSV, MLflow and the page.

    Args:
        title: heading on the page.
        summary: one or two plain sentences, the conclusion first.
        tables: stem to table, written to reports/evaluation/<inspection>_<stem>.csv and shown, its first rows.
        charts: (caption, inline SVG made by goodfit.evaluation.charts).
        figures: dotted name to number, into metrics.json under `inspections` and the tracker as test/<name>.
        warnings: what should keep one from shipping, shown near the verdict.
    """

    title: str
    summary: str
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    charts: Sequence[tuple[str, Markup]] = ()
    figures: Mapping[str, float] = field(default_factory=dict)
    warnings: Sequence[str] = ()


class Inspection(ABC):
    """One question asked of a model after its metrics are known.

    A member's keyword-only options are `evaluate.<kind>.<option>` in params.yaml, all with defaults. Facts that a
    registration states: `tasks` it applies to, and `order`, its place on the page. A finding is the same, to the bit,
    for the same subject and options: what varies from run to run, such as a time, does not belong into one.

    Options:
        enabled: whether the question is asked at all.
    """

    def __init__(self, *, enabled: bool = True) -> None:
        self.enabled = enabled

    def faults(self, schema: Schema) -> Sequence[Fault]:
        """Return what the options name and the schema does not have; asked before anything is computed."""
        return []

    def level_faults(self, preprocessor: Preprocessor) -> Sequence[Fault]:
        """Return what the options name and the train rows did not have; asked before anything is computed."""
        return []

    @abstractmethod
    def inspect(self, subject: Subject) -> Finding | None:
        """Return what was found; None where there is nothing to say."""


INSPECTIONS: Registry[Inspection] = Registry("inspection")
