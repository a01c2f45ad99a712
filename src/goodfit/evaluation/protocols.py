"""What evaluation asks of the model it judges and of the splits it is judged on."""

from typing import Any, Protocol

import pandas as pd
from numpy.typing import NDArray

from goodfit.bundle import ThresholdRule
from goodfit.data import Schema, Table
from goodfit.preprocessing import Arrays


class Preprocessor(Protocol):
    """Turns raw rows into arrays, by what it learned from the train rows."""

    def transform(self, frame: pd.DataFrame) -> Arrays:
        """Return the arrays of raw rows."""

    def encode_target(self, frame: pd.DataFrame) -> NDArray[Any]:
        """Return class indices int64 [n]; not asked for regression."""


class Predictor(Protocol):
    """A model with all it needs to answer for raw rows; goodfit.bundle.Bundle is one."""

    @property
    def schema(self) -> Schema:
        """The columns, the task and the classes it was trained on."""

    @property
    def preprocessor(self) -> Preprocessor:
        """What it makes of raw rows; the baselines see the same."""

    @property
    def threshold(self) -> float:
        """Probability of the second class from which on it is predicted; binary only."""

    @property
    def rule(self) -> ThresholdRule | None:
        """How the threshold was chosen; None where nobody chose it."""

    @property
    def trained_on(self) -> tuple[str, ...]:
        """The splits whose rows trained it: train, and valid too after a refit."""

    def predict(self, frame: pd.DataFrame) -> NDArray[Any]:
        """Return probabilities [n, k], or values [n] in target units."""


class Parts(Protocol):
    """The three splits; goodfit.splits.Parts is one."""

    @property
    def train(self) -> Table:
        """The rows the model learned from."""

    @property
    def valid(self) -> Table:
        """The rows that chose between models."""

    @property
    def test(self) -> Table:
        """The rows that chose nothing."""
