"""A model that can be used: raw rows in, predictions out."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch

from goodfit.bundle.answering import PredictionInterval, ThresholdRule
from goodfit.bundle.assembly import tensor
from goodfit.bundle.ensemble import Ensemble, Part
from goodfit.data import Schema
from goodfit.models import Model
from goodfit.preprocessing import Arrays, Preprocessor
from goodfit.registry import Section
from goodfit.tasks import task_named

ROWS_AT_ONCE = 4096
"""Rows that go through the network together: what a layer makes of them (2 MB at 128 units) stays in a core's cache."""


@dataclass(frozen=True)
class Bundle:
    """A trained model and all it needs to take raw rows.

    Args:
        schema: columns, task and classes.
        preprocessor: fitted on the train rows.
        model_options: of the registered model, kind included.
        regularization: an instance of `RegularizationSection`; some regularizers are layers of the network.
        model: the network with its weights, on the CPU and in evaluation mode.
        threshold: probability of the second class from which on it is predicted; binary only.
        temperature: logits are divided by it before they become probabilities; 1 leaves them.
        rule: how the threshold was chosen; None where nobody chose it.
        interval: how wide prediction intervals are; regression only, None where there are none.
        parts: the models of a chosen ensemble, the best by itself first, where the model is one; `model_options` and
            `regularization` are that one's.
        trained_on: the splits whose rows trained it; after a refit also valid.
    """

    schema: Schema
    preprocessor: Preprocessor
    model_options: Section
    regularization: Section
    model: Model
    threshold: float = 0.5
    temperature: float = 1.0
    rule: ThresholdRule | None = None
    interval: PredictionInterval | None = None
    parts: tuple[Part, ...] = ()
    trained_on: tuple[str, ...] = ("train",)

    @property
    def best_part(self) -> "Bundle":
        """The best model of a chosen ensemble by itself; the bundle where there is no ensemble."""
        if not self.parts or not isinstance(self.model, Ensemble):
            return self
        part, network = self.parts[0], self.model.members[0]
        if not isinstance(network, Model):
            raise TypeError(f"an ensemble of {type(network).__name__}, which is no model")
        return replace(self, model=network, temperature=part.temperature, interval=None, parts=())

    @property
    def task(self) -> str:
        """The learning problem: binary, multiclass or regression."""
        return self.schema.task

    def logits(self, frame: pd.DataFrame) -> torch.Tensor:
        """Return [n, outputs] raw scores of raw rows, before the temperature."""
        return self.logits_of(self.preprocessor.transform(frame))

    def logits_of(self, arrays: Arrays) -> torch.Tensor:
        """Return [n, outputs] raw scores of preprocessed rows, before the temperature."""
        numeric, categorical = tensor(arrays.numeric), tensor(arrays.categorical)
        parts = zip(torch.split(numeric, ROWS_AT_ONCE), torch.split(categorical, ROWS_AT_ONCE), strict=True)
        self.model.eval()
        with torch.inference_mode():
            return torch.cat([self.model(*part) for part in parts])

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        """Return float64 predictions of raw rows: [n, classes] probabilities, or [n] values in the target's units.

        Columns are taken by name: their order, and columns the model does not know, change nothing. A row by itself and
        the same row among others agree to about 1e-6, because sums of other lengths round differently.

        Raises:
            DataError: a column is missing, or holds what the training data could not.
        """
        return self.answers(self.preprocessor.transform(frame))

    def answers(self, arrays: Arrays) -> np.ndarray:
        """Return what `predict` does, for rows that are preprocessed already."""
        return self.answers_to(self.logits_of(arrays))

    def answers_to(self, logits: torch.Tensor) -> np.ndarray:
        """Return what `predict` does, for [n, outputs] raw scores.

        In double precision: a probability that rounds to 1 in single precision ranks no higher than its neighbours.
        """
        scores = task_named(self.task).predict(logits.double() / self.temperature).numpy()
        return self.preprocessor.decode_target(scores) if self.task == "regression" else scores

    def decide(self, predictions: np.ndarray) -> np.ndarray:
        """Return int64[n] class indices for [n, classes] probabilities; the values of a regression as they are."""
        if self.task == "regression":
            return predictions
        above = predictions[:, 1] >= self.threshold if self.task == "binary" else predictions.argmax(axis=1)
        return np.asarray(above, dtype=np.int64)
