"""Let a column of the data say where each row belongs."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from pydantic import Field

from goodfit.data import Schema, Table
from goodfit.errors import DataError, Fault, shorten, suggestion
from goodfit.registry import Section
from goodfit.splits.base import NAMES, SPLITS, Codes, Split, Units

Value = str | int | float | bool
SHOWN = 5


class SplitValues(Section):
    """Which values of the column mean which split.

    Options:
        train: values of rows that train.
        valid: values of rows that choose the model.
        test: values of rows that are kept for the verdict.
    """

    train: list[Value] = Field(["train"])
    valid: list[Value] = Field(["valid"])
    test: list[Value] = Field(["test"])


USUAL_VALUES = SplitValues()


@SPLITS.register("predefined")
class PredefinedSplit(Split):
    """Take the split that comes with the data, as a published benchmark has it.

    The column must not be a feature: list it under `schema.ignore`. The column decides alone: copies that it parts fail
    the check `duplicates`, unless duplicates are allowed.

    Options:
        column: the column that says where each row belongs.
        values: which of its values mean train, valid and test.
    """

    def __init__(self, *, column: str, values: SplitValues = USUAL_VALUES, **shared: Any) -> None:
        super().__init__(**shared)
        self.column = column
        self.values = values

    @staticmethod
    def check_options(options: Any) -> Sequence[Fault]:
        """Return a fault for each split without a value and each value that means two splits."""
        lists = [[str(value) for value in getattr(options.values, name)] for name in NAMES]
        faults = [
            Fault("values", f"names no value for {name}", None, "Name at least one.")
            for name, values in zip(NAMES, lists, strict=True)
            if not values
        ]
        listed = [value for values in lists for value in values]
        twice = sorted({value for value in listed if listed.count(value) > 1})
        return faults + [Fault("values", "stands for more than one split", v, "Name it once.") for v in twice]

    def schema_faults(self, schema: Schema) -> list[Fault]:
        """Return a fault unless the column exists and is none that a model sees."""
        roles = {column.name: column.role for column in schema.columns}
        place = "params.yaml: split.column"
        if self.column not in roles:
            return [Fault(place, f"the data have no column '{self.column}'", None, suggestion(self.column, roles))]
        if roles[self.column] in ("feature", "target"):
            rule = f"'{self.column}' is a {roles[self.column]}, so a model would see it"
            return [Fault(place, rule, None, "List it under schema.ignore.")]
        return []

    def assign(self, table: Table, units: Units, seed: int) -> Codes:
        """Look every value up; a value that means nothing is refused, never guessed."""
        codes, distinct = pd.factorize(table.frame[self.column], use_na_sentinel=False)
        meaning = {str(value): code for code, name in enumerate(NAMES) for value in getattr(self.values, name)}
        found = [meaning.get(str(value)) for value in distinct]
        unknown = [value for value, code in zip(distinct, found, strict=True) if code is None]
        if unknown:
            shown = ", ".join(shorten(str(value)) for value in unknown[:SHOWN])
            rule = f"holds {len(unknown)} values that mean no split: {shown}"
            remedy = "Name them under split.values, or take those rows out of the source."
            raise DataError([Fault(f"column '{self.column}'", rule, None, remedy)])
        return np.array(found, dtype=np.int8)[codes]
