"""Which feature each column of preprocessed rows belongs to."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Layout:
    """The features behind the columns of numeric and categorical arrays.

    A feature is a raw column, numbered from 0: all that one raw column becomes (a scaled number and its missing flag,
    the parts of a time, the one-hot levels of a category) bears one number.

    Args:
        numeric: feature of each float column.
        categorical: feature of each column of codes.
        measured: whether each float column is a scaled number, about one standard deviation wide; a flag, a level or
            part of a circle is none.
    """

    numeric: tuple[int, ...]
    categorical: tuple[int, ...]
    measured: tuple[bool, ...]

    @classmethod
    def of(cls, measured: Sequence[Sequence[bool]], categories: int) -> "Layout":
        """Return the layout of dense features, by what their columns measure, and of coded features behind them."""
        numeric = tuple(feature for feature, columns in enumerate(measured) for _ in columns)
        coded = tuple(range(len(measured), len(measured) + categories))
        return cls(numeric, coded, tuple(flag for columns in measured for flag in columns))

    @property
    def features(self) -> int:
        """Return the number of features."""
        return max((*self.numeric, *self.categorical), default=-1) + 1
