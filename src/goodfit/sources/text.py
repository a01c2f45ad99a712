"""Find the type of a column of text by all its values, and say why a column of numbers or dates stays text."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from goodfit.errors import DataError, shorten
from goodfit.sources.kinds import DATES, KINDS, fitting, parsed, share, trimmed
from goodfit.sources.normal import infinity
from goodfit.stage import say

NUMBERLIKE = r"^ *[+-]?[0-9][0-9,. ]*([eE][+-]?[0-9]+)? *$"
DATELIKE = "|".join(rf"^[0-9]{{1,4}}{mark}[0-9]{{1,2}}{mark}[0-9]{{2,4}}($|[ T])" for mark in ("-", "/", r"\."))
REASONS = (
    (DATELIKE, "and not all values are dates YYYY-MM-DD in the same form"),
    (r"^ *-?0[0-9]", "whose leading zero a number would lose"),
    (r"^ *\+", "whose plus sign a number would lose"),
    (r"^ *-?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)? *$", "with a comma for thousands, which is not read as a number"),
    (r"^ *-?[0-9]+,[0-9]+ *$", "with a comma for the decimal point, which is not read as a number"),
    (r"^ *-?[0-9]{16,} *$", "which is too large for a number that must stay exact"),
    (r"^ *-?[0-9.]+[eE]-[0-9]+ *$", "which is so small that it would become 0"),
    (r"^ *[+-]?[0-9.]+([eE][+-]?[0-9]+)? *$", "and other values are of another kind"),
)


@dataclass
class TextColumn:
    """What is known of one column so far.

    Attributes:
        place: the file, for messages.
        name: of the column.
        candidates: the kinds that every value seen fits.
        filled: values seen that are not missing.
    """

    place: str
    name: str
    candidates: frozenset[str] = frozenset(KINDS)
    filled: int = 0
    note: str = ""
    infinite: DataError | None = field(default=None)

    def __post_init__(self) -> None:
        self._initial = self.candidates

    def look(self, values: pa.Array, first_row: int) -> None:
        """Take in the next values (text, null where missing); `first_row` is the number of the first, from 1."""
        if not self.candidates or values.null_count == len(values):
            return
        remaining = fitting(values, self.candidates)
        if not remaining:
            self._explain(values, first_row)
        elif "float64" in remaining and not self.infinite:
            self.infinite = self._infinity(values, first_row)
        self.candidates = remaining
        self.filled += len(values) - values.null_count

    def settle(self) -> pa.DataType:
        """Return the type of the column, and say why a column of numbers or dates stays text.

        Raises:
            DataError: all values are numbers, and one is infinite or larger than any float64.
        """
        if self.note:
            say(self.note)
        kind = next((kind for kind in KINDS if kind in self.candidates), None) if self.filled else None
        if kind == "float64" and self.infinite:
            raise self.infinite
        return KINDS[kind] if kind else pa.string()

    def _infinity(self, values: pa.Array, first_row: int) -> DataError | None:
        wrong = pc.is_inf(trimmed(values).cast(pa.float64()))
        if not pc.any(wrong).as_py():
            return None
        index = pc.index(wrong, True).as_py()
        return DataError(
            [infinity(f"{self.place}: row {first_row + index}, column '{self.name}'", values[index].as_py())]
        )

    def _explain(self, values: pa.Array, first_row: int) -> None:
        """Note the first value that fits no type of those before it, if most values look as if they had one."""
        low, high = 0, len(values) - 1  # the values up to `high` fit nothing together
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if fitting(values[: middle + 1], self.candidates) else (low, middle)
        patterns = [DATELIKE] if self._initial <= DATES else [DATELIKE, NUMBERLIKE]
        looks = any(share(values, pattern) >= 0.5 for pattern in patterns)
        looks |= 2 * (low - values[:low].null_count) >= len(values) - values.null_count
        if not looks and self.candidates == self._initial:
            return
        offender, before = values[low].as_py(), fitting(values[:low], self.candidates)
        self.note = (
            f"{self.place}: column '{self.name}' stays text: row {first_row + low} holds {shorten(offender)}, "
            f"{_reason(offender, before)}.{self._way_out(offender)}"
        )

    def _way_out(self, offender: str) -> str:
        if self._initial <= DATES:  # the source has no such options
            return ""
        if share(pa.array([offender]), DATELIKE):
            return " Give the form of other dates in source.dates."
        return " If it stands for a missing value, add it to source.missing."


def with_types(reader: pa.RecordBatchReader, types: Mapping[str, pa.DataType]) -> pa.RecordBatchReader:
    """Return the rows with columns of text parsed to the types that have been settled for them, by name."""
    schema = pa.schema([(field.name, types.get(field.name, field.type)) for field in reader.schema])

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in reader:
            columns = [
                values if field.type == values.type else parsed(values, field.type)
                for field, values in zip(schema, batch.columns, strict=True)
            ]
            yield pa.RecordBatch.from_arrays(columns, schema=schema)

    return pa.RecordBatchReader.from_batches(schema, batches())


def _reason(value: str, before: frozenset[str]) -> str:
    """Say what is wrong with a value, given the kinds that the values before it fit."""
    for pattern, reason in REASONS:
        if share(pa.array([value]), pattern):
            return reason
    if before <= DATES:
        return "which is no date or time in the form of those before it"
    if before == {"bool"}:
        return "which is neither true nor false"
    return "which is no number"
