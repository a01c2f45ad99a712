"""From preprocessed columns to one dense input row: few levels one-hot, many levels embedded."""

from abc import abstractmethod
from collections.abc import Hashable, Sequence
from typing import Annotated, ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn

from goodfit.models.base import Inputs, Model
from goodfit.models.layers import Embedding
from goodfit.models.numeric_embeddings import (
    AS_THEY_ARE,
    NUMERIC_EMBEDDINGS,
    NoEmbedding,
    NumericEmbedding,
    TrainRows,
)
from goodfit.preprocessing import Layout
from goodfit.registry import Section

RESERVED = 2
"""Codes 0 (missing) and 1 (unknown) of every categorical column; levels follow."""


class Encoding(nn.Module):
    """Concatenate numeric columns or what they are embedded as, one-hot columns and learned embeddings.

    All one-hot columns are written by a single scatter and all embeddings read by a single gather from one table with
    offsets, so that the cost of a step does not grow with the number of columns. An embedding starts with length 1, as
    a one-hot level has, and the reserved codes at zero: a level that training never saw says nothing, not noise.

    Args:
        inputs: the preprocessed columns.
        max_one_hot: a categorical column of at most so many levels is one-hot, others are embedded.
        embedding: numbers per embedded column.
        numeric_embeddings: options of a numeric embedding, for the scaled numbers; flags stay as they are.
    """

    stacks: ClassVar[bool] = True
    one_hot_columns: Tensor
    one_hot_offsets: Tensor
    embedded_columns: Tensor
    embedded_offsets: Tensor
    measured_columns: Tensor
    plain_columns: Tensor

    def __init__(
        self, inputs: Inputs, max_one_hot: int, embedding: int, numeric_embeddings: Section | None = None
    ) -> None:
        super().__init__()
        sizes = inputs.cardinalities
        few = [i for i, size in enumerate(sizes) if size - RESERVED <= max_one_hot]
        many = [i for i, size in enumerate(sizes) if size - RESERVED > max_one_hot]
        self.numeric = inputs.numeric
        self.categorical = len(sizes)
        self.sizes = tuple(sizes)
        self.one_hot_width = sum(sizes[i] for i in few)
        self.embedding = embedding
        self._index("one_hot", few, sizes)
        self._index("embedded", many, sizes)
        self.numbers = _numbers(inputs, numeric_embeddings)
        if self.numbers is not None:
            self._divide(inputs)
        self.table = _table([sizes[i] for i in many], embedding) if many else None

    @property
    def dense_width(self) -> int:
        """Numbers per row that depend on no parameter."""
        return self.numeric + self.one_hot_width

    @property
    def width(self) -> int:
        """Numbers per row that come out."""
        return self._before_levels + self.one_hot_width + self.embedding * len(self.embedded_columns)

    @property
    def widest(self) -> int:
        """The most numbers per row on the way."""
        return self.width if self.numbers is None else max(self.width, self._measured * self.numbers.widest)

    @property
    def squared_length(self) -> float:
        """Expected squared length of a row: 1 for each scaled number, one-hot level and new embedding."""
        return float(self.numeric + self.categorical)

    @property
    def part_widths(self) -> list[int]:
        """Numbers that come out of each number, flag, one-hot column and embedded column, in order."""
        numbers = [] if self.numbers is None else [self.numbers.width] * self._measured
        ones = [1] * (self.numeric - self._measured)
        levels = [self.sizes[column] for column in self.one_hot_columns.tolist()]
        return [*numbers, *ones, *levels, *([self.embedding] * len(self.embedded_columns))]

    def reserved_inputs(self) -> Tensor:
        """Return which outputs stand for a missing or unknown one-hot level."""
        return (self._before_levels + self.one_hot_offsets[:, None] + torch.arange(RESERVED)).flatten()

    def outputs_of(self, numeric: Sequence[int], categorical: Sequence[int]) -> list[int]:
        """Return which outputs some of the preprocessed columns become, given by their places."""
        dense = list(numeric)
        levels = dict(zip(self.one_hot_columns.tolist(), self.one_hot_offsets.tolist(), strict=True))
        for column in categorical:
            first = self.numeric + levels.get(column, 0)
            dense += range(first, first + self.sizes[column]) if column in levels else ()
        vectors = self.embedded_columns.tolist()
        first = self._before_levels + self.one_hot_width
        starts = [first + vectors.index(column) * self.embedding for column in categorical if column in vectors]
        return [*self._moved(dense), *(start + place for start in starts for place in range(self.embedding))]

    def parameters_of(self, numeric: Sequence[int], categorical: Sequence[int]) -> int:
        """Return how many parameters serve only some of the preprocessed columns, given by their places."""
        embedded = set(self.embedded_columns.tolist()) & set(categorical)
        vectors: int = self.embedding * sum(self.sizes[column] for column in embedded)
        if self.numbers is None:
            return vectors
        each = sum(parameter.numel() for parameter in self.numbers.parameters()) // self._measured
        return vectors + each * len(set(numeric) & set(self.measured_columns.tolist()))

    def meet(self, rows: TrainRows) -> None:
        """Show the train rows to the numeric embedding."""
        if self.numbers is not None:
            self.numbers.meet(torch.from_numpy(rows.quantiles)[:, self.measured_columns])

    def prepare(self, numeric: Tensor, categorical: Tensor) -> tuple[Tensor, Tensor]:
        """Return [n, dense_width] floats and the codes [n, embedded columns]; prepared arrays come back as they are."""
        if len(self.one_hot_columns) == 0 or categorical.shape[-1] != self.categorical:
            return numeric, categorical
        codes = categorical[..., self.one_hot_columns] + self.one_hot_offsets
        blank = numeric.new_zeros(*categorical.shape[:-1], self.one_hot_width)
        dense = torch.cat((numeric, blank.scatter(-1, codes, 1.0)), dim=-1)
        return dense, categorical[..., self.embedded_columns]

    def prepared_layout(self, layout: Layout) -> Layout:
        """Return which feature each of the columns that `prepare` gives belongs to."""
        levels = [layout.categorical[i] for i in self.one_hot_columns.tolist() for _ in range(self.sizes[i])]
        codes = tuple(layout.categorical[i] for i in self.embedded_columns.tolist())
        return Layout((*layout.numeric, *levels), codes, (*layout.measured, *(False for _ in levels)))

    def forward(self, numeric: Tensor, categorical: Tensor) -> Tensor:
        """Return [n, width]; of a stack [k, n, width], or [n, width] where nothing in it differs between members."""
        dense, codes = self.prepare(numeric, categorical)
        if self.numbers is not None:
            vectors = self.numbers(dense[..., self.measured_columns]).flatten(start_dim=-2)
            plain = dense[..., self.plain_columns]
            dense = torch.cat((vectors, plain.expand(*vectors.shape[:-1], -1)), dim=-1)
        if self.table is None:
            return dense
        vectors = self.table(codes + self.embedded_offsets).flatten(start_dim=-2)
        return torch.cat((dense.expand(*vectors.shape[:-1], -1), vectors), dim=-1)

    @property
    def _measured(self) -> int:
        return 0 if self.numbers is None else len(self.measured_columns)

    @property
    def _before_levels(self) -> int:
        """Numbers per row that come out before the one-hot levels."""
        return self.numeric if self.numbers is None else self.numeric + self._measured * (self.numbers.width - 1)

    def _moved(self, dense: Sequence[int]) -> list[int]:
        """Return where prepared columns lie after the numbers among them have become vectors, which come first."""
        if self.numbers is None:
            return list(dense)
        width, found = self.numbers.width, list[int]()
        measured, plain = self.measured_columns.tolist(), self.plain_columns.tolist()
        for column in dense:
            if column in measured:
                first = measured.index(column) * width
                found += range(first, first + width)
            else:
                found.append(len(measured) * width + plain.index(column))
        return found

    def _divide(self, inputs: Inputs) -> None:
        """Note which columns of prepared rows are embedded numbers, and which stay as they are."""
        measured = _measured_in(inputs)
        plain = [column for column in range(self.dense_width) if column not in set(measured)]
        for name, columns in (("measured", measured), ("plain", plain)):
            index = torch.tensor(columns, dtype=torch.int64)
            self.register_buffer(f"{name}_columns", index, persistent=False)

    def _index(self, name: str, columns: Sequence[int], sizes: Sequence[int]) -> None:
        starts = torch.tensor([0, *(sizes[i] for i in columns)], dtype=torch.int64).cumsum(0)[: len(columns)]
        self.register_buffer(f"{name}_columns", torch.tensor(columns, dtype=torch.int64), persistent=False)
        self.register_buffer(f"{name}_offsets", starts, persistent=False)


def _measured_in(inputs: Inputs) -> Sequence[int]:
    return range(inputs.numeric) if inputs.measured is None else inputs.measured


def _numbers(inputs: Inputs, options: Section | None) -> NumericEmbedding | None:
    """Return a numeric embedding for the scaled numbers, where there are any and one is asked for."""
    columns = len(_measured_in(inputs))
    if options is None or columns == 0:
        return None
    found = NUMERIC_EMBEDDINGS.build(options, columns)
    return None if isinstance(found, NoEmbedding) else found


def _table(sizes: Sequence[int], width: int) -> Embedding:
    table = Embedding(sum(sizes), width)
    start = 0
    with torch.no_grad():
        nn.init.normal_(table.weight, std=width**-0.5)
        for size in sizes:
            table.weight[start : start + RESERVED] = 0.0
            start += size
    return table


class EncodedModel(Model):
    """A model whose first step is an `Encoding`, which can be done once for all rows before the training.

    Options:
        max_one_hot: categorical columns of at most so many levels are one-hot, others are embedded.
        embedding: numbers per embedded column.
        numeric_embeddings: what each number becomes before the first layer.
    """

    def __init__(
        self,
        inputs: Inputs,
        *,
        max_one_hot: Annotated[int, Field(ge=0, le=10_000)] = 9,
        embedding: Annotated[int, Field(ge=1, le=1024)] = 8,
        numeric_embeddings: NUMERIC_EMBEDDINGS.section() = AS_THEY_ARE,  # type: ignore[valid-type]
    ) -> None:
        super().__init__()
        self.encoding = Encoding(inputs, max_one_hot, embedding, numeric_embeddings)

    def meet(self, rows: TrainRows) -> None:
        """Show the train rows to the encoding."""
        self.encoding.meet(rows)

    @property
    def widest(self) -> int:
        """Return the width of the widest layer, the encoding's included."""
        return max(super().widest, self.encoding.widest)

    @property
    def prepared_width(self) -> int:
        """Return the numeric columns and the one-hot ones."""
        return self.encoding.dense_width

    @property
    def preparation(self) -> Hashable:
        """Return which columns become one-hot."""
        return tuple(self.encoding.one_hot_columns.tolist())

    def prepare(self, numeric: Tensor, categorical: Tensor) -> tuple[Tensor, Tensor]:
        """Return [n, prepared_width] with one-hot columns written out, and the codes that are embedded."""
        return self.encoding.prepare(numeric, categorical)

    def prepared_layout(self, layout: Layout) -> Layout:
        """Return the numeric columns, then the levels of each one-hot column, beside the codes that are embedded."""
        return self.encoding.prepared_layout(layout)


class SequentialModel(EncodedModel):
    """A model whose modules follow one after the other, its encoding first."""

    @abstractmethod
    def in_sequence(self) -> Sequence[nn.Module]:
        """Return the modules, the encoding first."""

    def forward(self, numeric: Tensor, categorical: Tensor) -> Tensor:
        """Map [n, numeric] and [n, categorical], raw or prepared, to [n, outputs] logits."""
        first, *others = self.in_sequence()
        values: Tensor = first(numeric, categorical)
        for module in others:
            values = module(values)
        return values
