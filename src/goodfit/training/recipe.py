"""What goes into a fit and what comes out of it."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from goodfit.data import Table
from goodfit.models import Model
from goodfit.preprocessing import Arrays, PreprocessingSection, Preprocessor, fit_preprocessor
from goodfit.registry import Section
from goodfit.training.section import TrainingSection

QUANTILES = 1001
"""So many each numeric column has for a network that asks: fine enough for as many bins as options allow."""

FORESEEN = "valid/foreseen"
"""The metric that says what the validation loss would be about now, had the learning rate fallen already."""


def judged_by(metrics: Collection[str]) -> str:
    """Return the metric that an epoch is judged by, of those that are known: the foreseen loss, else the loss."""
    return FORESEEN if FORESEEN in metrics else "valid/loss"


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a fit besides data and seed; each part is a section of params.yaml, resolved.

    Args:
        model: the options of a registered model.
        regularization: an instance of `RegularizationSection`, every regularizer's settings.
        training: epochs, batches, optimizer, schedule, device.
        task: binary, multiclass or regression.
        classes: number of classes; 0 in regression.
    """

    model: Section
    regularization: Section
    training: TrainingSection
    task: str
    classes: int


@dataclass(frozen=True)
class TrainingData:
    """Train and valid rows, preprocessed by what was fitted on the train rows alone.

    Args:
        preprocessor: fitted on the train rows.
        train, valid: numeric float32[n, d] and categorical int64[n, c].
        train_target, valid_target: class index int64[n], or standardised float32[n].
    """

    preprocessor: Preprocessor
    train: Arrays
    train_target: np.ndarray
    valid: Arrays
    valid_target: np.ndarray

    @classmethod
    def of(cls, train: Table, valid: Table, section: PreprocessingSection) -> "TrainingData":
        """Fit the preprocessor on `train` and transform both."""
        preprocessor = fit_preprocessor(train, section)
        return cls(
            preprocessor,
            preprocessor.transform(train.frame),
            preprocessor.encode_target(train.frame),
            preprocessor.transform(valid.frame),
            preprocessor.encode_target(valid.frame),
        )

    @cached_property
    def digest(self) -> str:
        """The hash of every array: a checkpoint of other rows is not resumed."""
        digest = hashlib.blake2b(digest_size=16)
        for part, target in ((self.train, self.train_target), (self.valid, self.valid_target)):
            for array in (part.numeric, part.categorical, target):
                digest.update(f"{array.dtype}{array.shape}".encode())
                digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()

    @cached_property
    def quantiles(self) -> np.ndarray:
        """Quantiles of the numeric columns of the train rows, float32[q, d]: evenly spaced, smallest and largest in."""
        places = np.linspace(0, 1, QUANTILES)
        return np.quantile(self.train.numeric, places, axis=0, method="nearest").astype(np.float32)


@dataclass(frozen=True)
class Epoch:
    """What one pass over the train rows came to.

    Args:
        number: from 1.
        metrics: `train/loss` and `valid/loss` (the plain task loss in evaluation mode, after the epoch, on equally many
            rows), `generalization_gap/loss` (how much higher the second is), `train/objective` (the mean of what was
            minimized, regularizers and all, while weights moved) and `lr` (of the epoch's last step); of a candidate
            that is foreseen, `valid/foreseen` (the lower one of the validation loss and of that of the mean of the
            weights over the later half of the epoch's steps).
        seconds: wall time of this epoch.
        restored: it was computed before a crash and is reported again, from the checkpoint.
    """

    number: int
    metrics: Mapping[str, float]
    seconds: float
    restored: bool = False


@dataclass(frozen=True)
class Fitted:
    """A trained model, on the CPU and in evaluation mode, and how it came about.

    Args:
        model: with the best epoch's weights.
        epochs: every epoch, those before a crash included.
        best_epoch: number of the epoch whose weights the model has.
        valid_loss: of that epoch.
        seconds, cpu_seconds: of all epochs, what a crash lost not counted.
        parameters: number of trainable numbers.
        machine: what may change the bits: threads, device, instruction set, versions.
    """

    model: Model
    epochs: list[Epoch]
    best_epoch: int
    valid_loss: float
    seconds: float
    cpu_seconds: float
    parameters: int
    machine: Mapping[str, str | int] = field(default_factory=dict)
