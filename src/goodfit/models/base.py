"""The contract of a model family: what it is built from, and what it maps to what."""

from abc import abstractmethod
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol, TypeAlias

from torch import Tensor, nn

from goodfit.models.numeric_embeddings import TrainRows
from goodfit.preprocessing import Layout
from goodfit.registry import Registry, Section


@dataclass(frozen=True)
class Inputs:
    """What a preprocessed row looks like.

    Args:
        numeric: how many float columns there are.
        cardinalities: the number of codes of each categorical column.
        measured: which of the float columns are scaled numbers, and no flags or parts of a circle; None means all.
    """

    numeric: int
    cardinalities: tuple[int, ...]
    measured: tuple[int, ...] | None = None


class HiddenBlocks(Protocol):
    """What regularizers put into and around a hidden layer; models ask, and know no regularizer."""

    @property
    def recentres(self) -> bool:
        """Return whether the modules before an activation take any constant away: leave the bias before them out.

        It would be idle, and worse: its gradient is rounding noise, which Adam blows up to full steps.
        """

    @property
    def shortcuts(self) -> bool:
        """Return whether hidden layers get a path around them where widths allow; see `hidden_layer`."""

    def before_activation(self, index: int, count: int, width: int) -> list[nn.Module]:
        """Return modules that map [n, width] to [n, width], for hidden layer `index` (from 0) of `count`."""

    def after_activation(self, index: int, count: int, width: int) -> list[nn.Module]:
        """Return modules that map [n, width] to [n, width], for hidden layer `index` (from 0) of `count`."""

    def linear_map(self, linear: nn.Module) -> nn.Module:
        """Return what stands for the linear map [n, before] -> [n, width] of a hidden layer, initialised."""

    def hidden_layer(
        self, index: int, count: int, before: int, width: int, layer: Callable[[], list[nn.Module]]
    ) -> list[nn.Module]:
        """Return the modules [n, before] -> [n, width] of hidden layer `index` (from 0) of `count`.

        Args:
            index, count, before, width: which of how many layers, and what it maps to what.
            layer: makes the plain modules, linear map, activation and what is around it, anew at each call.
        """


class NoBlocks:
    """Hidden layers without anything in or around them."""

    recentres = False
    shortcuts = False

    def before_activation(self, index: int, count: int, width: int) -> list[nn.Module]:
        """Return nothing."""
        return []

    def after_activation(self, index: int, count: int, width: int) -> list[nn.Module]:
        """Return nothing."""
        return []

    def linear_map(self, linear: nn.Module) -> nn.Module:
        """Return the map."""
        return linear

    def hidden_layer(
        self, index: int, count: int, before: int, width: int, layer: Callable[[], list[nn.Module]]
    ) -> list[nn.Module]:
        """Return the plain modules."""
        return layer()


Pooling: TypeAlias = Callable[[Tensor], Tensor]
"""From logits [m, ..., n, outputs] of m predictions to those [..., n, outputs] of their mean."""


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

    @staticmethod
    def hidden_widths(options: Section) -> Sequence[int]:
        """Return the width of each hidden layer, from the options of its registration; nothing where it is unknown."""
        return ()

    def in_sequence(self) -> Sequence[nn.Module]:
        """Return the modules that the forward pass is, one after the other; nothing where it is anything else.

        The first takes what `forward` takes, each other one what the one before it gives, and no other module of the
        network computes. Then a training can pass through it without torch's graph, which costs a small network more
        than its arithmetic.
        """
        return ()

    def meet(self, rows: TrainRows) -> None:
        """Take over, before the first step, what the network must know of the train rows; it goes with the weights."""

    def pool_by(self, pooled: Pooling) -> None:
        """Learn how predictions are pooled; for a network that makes several of a row."""

    @property
    def widest(self) -> int:
        """Return how many numbers the widest layer has for a row; what a stack may hold at a time depends on it."""
        return max(parameter.shape[0] for parameter in self.parameters())

    def prepare(self, numeric: Tensor, categorical: Tensor) -> tuple[Tensor, Tensor]:
        """Do what depends on the rows alone, not on parameters; `forward` takes the result as well as raw arrays.

        Call it once on resident rows, where `prepared_width` float32 per row fit into memory, and no step pays for it
        again. Idempotent.
        """
        return numeric, categorical

    def prepared_layout(self, layout: Layout) -> Layout:
        """Return which feature each column of prepared rows belongs to, from the same of raw rows."""
        return layout

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
        """Map [n, numeric] float32 and [n, categorical] int64, raw or prepared, to [n, outputs] logits.

        A network that predicts several times gives [n, m, outputs] in training, where the mean of their m losses
        counts, and in evaluation mode one answer.
        """


MODELS: Registry[Model] = Registry("model")
