"""The bundle behind MLflow's pyfunc: data frames in, data frames out. MLflow calls `goodfit.bundle._load_pyfunc`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from goodfit.bundle.bundle import Bundle
from goodfit.bundle.storage import load_bundle


class Scorer:
    """A bundle with the call that MLflow expects."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle

    def predict(self, model_input: pd.DataFrame, params: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """Return a frame with the rows' index: `prediction`, for classes `probability_<class>` of each, and for values
        `low` and `high`, the ends of the prediction interval, where the bundle has one.

        Args:
            model_input: raw rows with the feature columns, by name.
            params: MLflow passes them; there are none.
        """
        return self.told(self.bundle.predict(model_input), model_input.index)

    def told(self, predictions: np.ndarray, index: pd.Index) -> pd.DataFrame:
        """Return what `predict` does, for predictions that are made already."""
        if self.bundle.task == "regression":
            interval = self.bundle.interval
            ends = dict(zip(("low", "high"), interval.around(predictions), strict=True)) if interval else {}
            return pd.DataFrame({"prediction": predictions, **ends}, index=index)
        classes = self.bundle.schema.classes
        labels = pd.array(list(classes), dtype="str").take(self.bundle.decide(predictions))
        columns = {f"probability_{name}": predictions[:, code] for code, name in enumerate(classes)}
        return pd.DataFrame({"prediction": labels, **columns}, index=index)


def _load_pyfunc(path: str) -> Scorer:
    """Load the bundle in the folder `path`; MLflow finds this function by its name."""
    return Scorer(load_bundle(Path(path)))
