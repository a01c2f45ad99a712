"""The contract of a model family: what it is built from, and what it maps to what."""

from abc import abstractmethod
from collections.abc import Hashable
from dataclasses import dataclass
from typing import ClassVar, Protocol

from torch import Tensor, nn

from goodfit.registry import Registry


@dataclass(frozen=True)
class Inputs:
    """What a preprocessed row looks like: `numeric` float columns, and the number of codes of each categorical one."""

    numeric: int
    cardinalities: tuple[int, ...]


class HiddenBlocks(Protocol):
    """What regularizers put around the activation of a hidden layer; models ask, and know no regularizer."""

    @property
    def recentres(self) -> bool:
        """Return whether the modules before an activation take any constant away: leave the bias before them out.

        It would be idle, and worse: its gradient is rounding noise, which Adam blows up to full steps.
        """

    def before_activation(self, index: int, count: int, width: int) -> list[nn.Module]:
        """Return modules that map [n, width] to [n, width], for hidden layer `index` (from 0) of `count`."""

    def after_activation(self, index: int, count: int, width: int) -> list[nn.Module]:
        """Return modules that map [n, width] to [n, width], for hidden layer `index` (from 0) of `count`."""


class NoBlocks:
    """Hidden layers without anything around their activation."""

    recentres = False

    def before_activation(self, index: int, count: int, width: int) -> list[nn.Module]:
        """Return nothing."""
        return []

    def after_activation(self, index: int, count: int, width: int) -> list[nn.Module]:
        """Return nothing."""
        return []


class Model(nn.Module):
    """A network over preprocessed rows.

    A member is built as `MODELS.build(options, inputs, outputs, blocks)`. A member whose registration says
    `vectorizes=True` runs under `torch.func.vmap` over stacked parameters and buffers: no branch in its forward pass
    depends on a value, only on shapes. `hidden_layers` is the other fact: whether `blocks` have a place in it.

    With `stacks = True` its forward pass also takes rows [k, n, ...], or [n, ...] that all share, with parameters
    [k, ...], and gives logits [k, n, outputs]: it counts dimensions from the last one and takes its layers from
    `goodfit.models.layers`. Small networks train several times faster so than under `vmap`.
    """

    stacks: ClassVar[bool] = False

    def prepare(self, numeric: Tensor, categorical: Tensor) -> tuple[Tensor, Tensor]:
        """Do what depends on the rows alone, not on parameters; `forward` takes the result as well as raw arrays.

        Call it once on resident rows, where `prepared_width` float32 per row fit into memory, and no step pays for it
        again. Idempotent.
        """
        return numeric, categorical

    @property
    def prepared_width(self) -> int:
        """Return how many float32 numbers per row `prepare` gives."""
        return 0

    @property
    def preparation(self) -> Hashable:
        """Return what `prepare` depends on: models that agree in it prepare the same rows alike, and can share them."""
        return id(self)

    @abstractmethod
    def forward(self, numeric: Tensor, categorical: Tensor) -> Tensor:
        """Map [n, numeric] float32 and [n, categorical] int64, raw or prepared, to [n, outputs] logits."""


MODELS: Registry[Model] = Registry("model")
