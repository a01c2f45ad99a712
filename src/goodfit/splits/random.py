"""Deal the rows out by chance."""

from goodfit.data import Table
from goodfit.splits.allocation import allocate
from goodfit.splits.base import SPLITS, Codes, FractionSplit, Units


@SPLITS.register("random", keeps_units=True)
class RandomSplit(FractionSplit):
    """Deal the rows out by chance: for rows that have nothing to do with each other."""

    def assign(self, table: Table, units: Units, seed: int) -> Codes:
        """Shuffle the units and cut them by shares of the rows."""
        return allocate(units, self.fractions, seed)
