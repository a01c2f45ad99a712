"""Dates that are written in another form than YYYY-MM-DD, where the user says in which."""

from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from goodfit.errors import DataError, Fault

TIMES = ("%H", "%I", "%M", "%S", "%T", "%R", "%X", "%c", "%s")


@dataclass
class DateColumn:
    """A column whose every value is a date or a time of one form; it has the interface of `TextColumn`.

    Attributes:
        place: the file, for messages.
        name: of the column.
        form: as strptime has it, such as %d/%m/%Y.
    """

    place: str
    name: str
    form: str
    filled: int = field(default=0, init=False)

    def look(self, values: pa.Array, first_row: int) -> None:
        """Take in the next values (text, null where missing).

        Raises:
            DataError: a value that is no date of this form.
        """
        found = parsed_dates(values, self.form)
        self.filled += len(found) - found.null_count
        if found.null_count > values.null_count:
            index = pc.index(pc.and_(found.is_null(), values.is_valid()), True).as_py()
            where = f"{self.place}: row {first_row + index}, column '{self.name}'"
            remedy = "Correct the value or the form in source.dates."
            raise DataError([Fault(where, f"is no date of the form {self.form}", values[index].as_py(), remedy)])

    def settle(self) -> pa.DataType:
        """Return timestamp if the form has hours, minutes or seconds, else date32."""
        return pa.timestamp("us") if any(sign in self.form for sign in TIMES) else pa.date32()


def parsed_dates(values: pa.Array, form: str) -> pa.Array:
    """Return timestamps, null where a value is no date of this form, such as 31/02, of which strptime makes 2 March."""
    found = pc.strptime(values, format=form, unit="s", error_is_null=True)
    again = pc.strftime(found, format=form)
    return pc.if_else(pc.equal(_plain(again), _plain(values)), found, pa.scalar(None, found.type))


def _plain(values: pa.Array) -> pa.Array:
    """Return text in lower case, its numbers without leading zeros."""
    return pc.replace_substring_regex(pc.utf8_lower(values), r"\b0+([0-9])", r"\1")
