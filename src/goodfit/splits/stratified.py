"""Deal the rows out by chance, each class (or range of the target) by itself."""

from typing import Annotated, Any

import numpy as np
import pandas as pd
from pydantic import Field

from goodfit.data import Table
from goodfit.splits.allocation import allocate
from goodfit.splits.base import SPLITS, Codes, FractionSplit, Units


@SPLITS.register("stratified", keeps_units=True)
class StratifiedSplit(FractionSplit):
    """Deal each class out by itself, so that every split has the classes in the same shares.

    A class of three distinct rows or more reaches every split; one of fewer cannot, and the check `missing_class` says
    so. For regression the strata are ranges of the target.

    Options:
        bins: for regression, into how many ranges of equally many rows the target is cut.
    """

    def __init__(self, *, bins: Annotated[int, Field(ge=2, le=1000)] = 10, **shared: Any) -> None:
        super().__init__(**shared)
        self.bins = bins

    def assign(self, table: Table, units: Units, seed: int) -> Codes:
        """Shuffle the units of each stratum and cut them by shares of the rows."""
        target = table.frame[table.schema.target.name]
        if table.schema.task != "regression":
            return allocate(units, self.fractions, seed, pd.factorize(target, sort=True)[0].astype(np.int64))
        values = target.to_numpy(dtype=np.float64)
        edges = np.unique(np.quantile(values, np.linspace(0, 1, self.bins + 1)[1:-1])) if len(values) else values
        return allocate(units, self.fractions, seed, np.searchsorted(edges, values, side="right"))
