"""The contract of a numeric embedding.

Why not the package `rtdl_num_embeddings`, whose authors wrote the paper: its modules take rows of one model alone
([n, d], anything else is refused), so that a population would go through `torch.func.vmap` instead of as one stack, and
they need the bins of the train rows to be built at all, which a bundle has only once its weights are read.
"""

from abc import abstractmethod
from typing import Annotated, Any, ClassVar, Protocol, TypeAlias

from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn

from goodfit.registry import Registry

Width: TypeAlias = Annotated[int, Field(ge=1, le=4096)] | None
WIDTH = 16
"""Numbers that stand for one, where neither the options nor the model say otherwise."""


class TrainRows(Protocol):
    """What a network may know of the train rows before its first step."""

    @property
    def quantiles(self) -> NDArray[Any]:
        """Return float32 [q, d]: evenly spaced quantiles of each numeric column, its smallest and largest included."""


class NumericEmbedding(nn.Module):
    """Several numbers from one, for each of the scaled numbers of a row, with weights of its own for each column.

    It is built as `NUMERIC_EMBEDDINGS.build(options, columns)`. New weights keep the size of a signal: a number of
    variance 1 becomes a vector of expected squared length 1, so that the layer behind it starts alike. Like a layer of
    `goodfit.models.layers` it also computes for a stack: rows [k, n, columns], or [n, columns] that all members share.
    """

    stacks: ClassVar[bool] = True
    width: int
    """Numbers per column that come out."""

    @property
    def widest(self) -> int:
        """Return the most numbers per column on the way, where that is more than `width`."""
        return self.width

    def meet(self, quantiles: Tensor) -> None:
        """Take over what it must know of the train rows: `quantiles` [q, columns], evenly spaced, ends included."""

    @abstractmethod
    def forward(self, values: Tensor) -> Tensor:
        """Map [n, columns] to [n, columns, width]; of a stack to [k, n, columns, width]."""


NUMERIC_EMBEDDINGS: Registry[NumericEmbedding] = Registry("numeric embedding")
