"""The actual answers of a split, and the checked predictions beside them."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from goodfit.data import Schema, Table
from goodfit.errors import DataError, Fault
from goodfit.evaluation.protocols import Predictor
from goodfit.preprocessing.targets import finite_numbers

THRESHOLD = 0.5
"""From which probability of the second class on it is predicted, where no rule says otherwise."""


def target_values(bundle: Predictor, table: Table) -> NDArray[Any]:
    """Return class indices int64 [n], or values float64 [n] in target units.

    Raises:
        DataError: a missing or infinite value, or a class that the model does not know.
    """
    if bundle.schema.task != "regression":
        return bundle.preprocessor.encode_target(table.frame)
    name = bundle.schema.target.name
    return finite_numbers(name, table.frame[name])


def groups_of(table: Table) -> NDArray[Any] | None:
    """Return the group of each row as a code [n], or None where the schema names no group column."""
    names = table.schema.names("group")
    return pd.factorize(table.frame[names[0]], use_na_sentinel=False)[0] if names else None


def decided(prediction: NDArray[Any], threshold: float = THRESHOLD) -> NDArray[np.int64]:
    """Return the class of each row from probabilities [n, k]; a threshold decides between two classes."""
    if prediction.shape[1] == 2:
        return (prediction[:, 1] >= threshold).astype(np.int64)
    return np.asarray(prediction.argmax(axis=1), dtype=np.int64)


def predicted(bundle: Predictor, table: Table, split: str) -> NDArray[np.float64]:
    """Return the predictions of a split as float64: [n, k] or [n].

    Raises:
        DataError: not one answer per row, or one that is not finite.
    """
    schema, rows = bundle.schema, len(table)
    answer = np.asarray(bundle.predict(table.frame), dtype=np.float64)
    shape = (rows,) if schema.task == "regression" else (rows, len(schema.classes))
    if answer.shape != shape:
        rule = f"is predicted for the {split} rows with shape {answer.shape} instead of {shape}"
        raise _wrong(schema, rule, "Train again: dvc repro --force train.")
    wrong = int((~np.isfinite(answer.reshape(rows, -1))).any(axis=1).sum())
    if wrong:
        rule = f"is predicted as NaN or infinite in {wrong:,} of {rows:,} {split} rows"
        remedy = "Lower training.optimizer.lr or set regularization.gradient_clip, and look for extreme feature values."
        raise _wrong(schema, rule, remedy)
    return answer


def _wrong(schema: Schema, rule: str, remedy: str) -> DataError:
    return DataError([Fault(f"column '{schema.target.name}'", rule, None, remedy)])
