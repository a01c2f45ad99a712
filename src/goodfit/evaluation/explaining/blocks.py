"""Which preprocessed columns a raw column became; each depends on that raw column alone."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from goodfit.preprocessing import Arrays, Preprocessor


@dataclass(frozen=True)
class Block:
    """The places of a raw column, or of several that act together, in preprocessed rows.

    Args:
        name: of the column or of the group.
        numeric: columns of `Arrays.numeric`.
        categorical: columns of `Arrays.categorical`.
    """

    name: str
    numeric: tuple[int, ...] = ()
    categorical: tuple[int, ...] = ()

    def put(self, into: Arrays, source: Arrays, rows: NDArray[np.intp] | int) -> None:
        """Write the block of the given rows of `source` (one row: for all) into all rows of `into`, in place."""
        for columns, out, values in (
            (list(self.numeric), into.numeric, source.numeric),
            (list(self.categorical), into.categorical, source.categorical),
        ):
            if columns:
                out[:, columns] = values[rows][..., columns]

    def together(self, others: Sequence["Block"], name: str) -> "Block":
        """Return one block of this and others."""
        every = [self, *others]
        return Block(name, tuple(i for b in every for i in b.numeric), tuple(i for b in every for i in b.categorical))


def blocks_of(preprocessor: Preprocessor) -> dict[str, Block]:
    """Return the block of each raw column that the model sees, in the order of the preprocessed columns."""
    found: dict[str, Block] = {}
    start = 0
    for dense in preprocessor.dense:
        found[dense.column] = Block(dense.column, tuple(range(start, start + len(dense.names))))
        start += len(dense.names)
    for index, column in enumerate(preprocessor.categorical_names):
        found[column] = Block(column, (), (index,))
    return found


def grouped(blocks: dict[str, Block], groups: dict[str, list[str]]) -> list[Block]:
    """Return the blocks with the columns of each group as one, in order."""
    member = {column: name for name, columns in groups.items() for column in columns if column in blocks}
    found: dict[str, Block] = {}
    for column, block in blocks.items():
        name = member.get(column, column)
        found[name] = (
            found[name].together([block], name) if name in found else Block(name, block.numeric, block.categorical)
        )
    return list(found.values())
