"""Answers that are none."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def unanswered(answers: pd.DataFrame) -> NDArray[np.bool_]:
    """Return [n]: true where a figure is not finite, as for values that lie beyond what the network can hold."""
    figures = answers.select_dtypes("number").to_numpy(dtype=np.float64)
    return np.asarray(~np.isfinite(figures).all(axis=1), dtype=np.bool_)
