"""The rows that cost most, and whether the model was sure of them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

SURE = 0.9
"""From which probability of the predicted class on the model is called sure."""


def worst_rows(target: NDArray[Any], prediction: NDArray[np.float64], count: int) -> NDArray[np.intp]:
    """Return the numbers of the rows with the lowest probability of the actual class, or the largest error."""
    single = prediction.ndim == 1
    cost = np.abs(target - prediction) if single else -prediction[np.arange(len(target)), target]
    return np.argsort(-cost, kind="stable")[:count]


def confident_mistakes(target: NDArray[Any], prediction: NDArray[np.float64]) -> tuple[NDArray[np.bool_], float]:
    """Return the rows [n] whose most probable class is wrong and has SURE, and how many the model itself foretells."""
    top = prediction.max(axis=1)
    sure = top >= SURE
    return sure & (prediction.argmax(axis=1) != target), float((1 - top[sure]).sum())
