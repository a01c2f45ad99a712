"""What a split is: it says of every row whether it trains, validates or tests; -1 leaves a row out."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from goodfit.data import Schema, Table
from goodfit.errors import Fault
from goodfit.registry import Registry
from goodfit.splits.leakage_section import LeakageSection

NAMES = ("train", "valid", "test")
LEFT_OUT = -1
SUM_TOLERANCE = 1e-9
NO_LEAKAGE_OPTIONS = LeakageSection()

Codes = NDArray[np.int8]
Units = NDArray[np.int64]
Fraction = Annotated[float, Field(gt=0, lt=1)]
Fractions = tuple[float, float, float]


class Split(ABC):
    """One way to deal the rows out.

    Options:
        duplicates: together keeps exact copies (equal in features and target) in one split; allow does not care.
        leakage: what each leak check does when it fails.
    """

    def __init__(
        self,
        *,
        duplicates: Literal["together", "allow"] = "together",
        leakage: LeakageSection = NO_LEAKAGE_OPTIONS,
    ) -> None:
        self.duplicates = duplicates
        self.leakage = leakage

    @abstractmethod
    def assign(self, table: Table, units: Units, seed: int) -> Codes:
        """Return the split of each row: 0 train, 1 valid, 2 test, -1 left out.

        Args:
            table: n rows and their schema.
            units: [n] number of the unit each row belongs to, from 0 without gaps; a unit must stay whole where the
                member's registration says `keeps_units`.
            seed: the seed of params.yaml.
        """

    def schema_faults(self, schema: Schema) -> list[Fault]:
        """Return what this way of splitting needs and the schema does not give."""
        return []

    def identity(self, schema: Schema) -> list[str]:
        """Return the columns in which two rows must be equal to be copies of each other."""
        return [column.name for column in schema.columns if column.role in ("feature", "target")]


class FractionSplit(Split):
    """A split by shares of the rows.

    Options:
        train: share of the rows that train.
        valid: share of the rows that choose the model.
        test: share of the rows that are kept for the verdict.
    """

    def __init__(self, *, train: Fraction = 0.7, valid: Fraction = 0.15, test: Fraction = 0.15, **shared: Any) -> None:
        super().__init__(**shared)
        self.fractions: Fractions = (train, valid, test)

    @staticmethod
    def check_options(options: Any) -> Sequence[Fault]:
        """Return a fault unless the three shares make up the whole."""
        total = options.train + options.valid + options.test
        if abs(total - 1) <= SUM_TOLERANCE:
            return []
        shares = f"{options.train:g} + {options.valid:g} + {options.test:g}"
        rule = f"train, valid and test must sum to 1, and {shares} is {total:g}"
        return [Fault("train", rule, options.train, "Mend one of the three; 0.7, 0.15 and 0.15 are the defaults.")]


SPLITS: Registry[Split] = Registry("split")
"""Facts of a member: `keeps_units`, true where `assign` never tears a unit."""
