"""The small tables that scikit-learn carries: nothing is downloaded."""

from typing import Literal

import pyarrow as pa

from goodfit.sources.base import SOURCES, Source
from goodfit.sources.frames import frame_reader


@SOURCES.register("sklearn")
class Sklearn(Source):
    """A table bundled with scikit-learn; its target is the column `target`, with the names of classes where it has any.

    Options:
        name: iris, wine, breast_cancer, digits (classification), or diabetes (regression).
    """

    def __init__(self, *, name: Literal["breast_cancer", "diabetes", "digits", "iris", "wine"]) -> None:
        self.place = f"sklearn::{name}"
        self.name = name

    def read(self) -> pa.RecordBatchReader:
        """Load the table into memory and return its rows."""
        from sklearn import datasets

        bunch = getattr(datasets, f"load_{self.name}")(as_frame=True)
        frame = bunch.frame
        if "target_names" in bunch and isinstance(bunch.target_names[0], str):
            frame = frame.assign(target=bunch.target_names[bunch.target])
        return frame_reader(self.place, frame)
