"""Many networks that share their weights and differ in a few.

Why not the package `tabm`, whose authors wrote the paper: its modules take rows of one model alone, so that a
population would go through `torch.func.vmap` instead of as one stack, and what regularizers put around hidden layers
has no place in its blocks.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated, Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from goodfit.models.activations import ActivationName, activation
from goodfit.models.base import MODELS, HiddenBlocks, Inputs, Pooling
from goodfit.models.encoding import EncodedModel
from goodfit.models.initialization import initialize_first, initialize_hidden
from goodfit.models.layers import Linear, mapped, of_columns
from goodfit.registry import Section

Adapters = Literal["every", "first"]


@MODELS.register("tabm", vectorizes=True, hidden_layers=True)
class TabM(EncodedModel):
    """Networks that are trained as one: their matrices are shared, and vectors of their own scale what goes in and out.

    "TabM: Advancing Tabular Deep Learning with Parameter-Efficient Ensembling" (Gorishniy, Kotelnikov and Babenko, ICLR
    2025, arXiv:2410.24210), by the layers of "BatchEnsemble" (Wen, Tran and Ba, ICLR 2020, arXiv:2002.06715). Each
    network has a loss of its own, and what is minimized is their mean; in prediction they answer by the mean of their
    predictions. `adapters: first` is TabM-mini: only what goes into the first layer is scaled.

    Options:
        members: networks that share weights.
        layers: number of hidden layers.
        width: neurons in each hidden layer of each network.
        activation: relu, leaky_relu, elu, selu, gelu, silu, mish, tanh, sigmoid, softplus or hardswish.
        adapters: every (layer has vectors of each network) or first.
    """

    stacks = True

    def __init__(
        self,
        inputs: Inputs,
        outputs: int,
        blocks: HiddenBlocks,
        *,
        members: Annotated[int, Field(ge=1, le=1024)] = 32,
        layers: Annotated[int, Field(ge=1, le=64)] = 2,
        width: Annotated[int, Field(ge=1, le=65536)] = 128,
        activation: ActivationName = "relu",
        adapters: Adapters = "every",
        **options: Any,
    ) -> None:
        super().__init__(inputs, **options)
        self.members = members
        self._adapters: Adapters = adapters
        self._activation: ActivationName = activation
        self._pooled: Pooling = partial(torch.mean, dim=0)
        self.spread = nn.Parameter(self._first_scales())
        self.body = nn.Sequential(*self._layers([width] * layers, blocks))
        self.head = nn.Parameter(torch.randn(members, width, outputs) * 0.1 * width**-0.5)
        self.head_bias = nn.Parameter(torch.zeros(members * outputs))

    @staticmethod
    def hidden_widths(options: Section) -> Sequence[int]:
        """Return the width of each hidden layer."""
        chosen = options.model_dump()
        return [chosen["width"]] * chosen["layers"]

    @property
    def widest(self) -> int:
        """Return the most numbers per row in any layer, of all networks together."""
        return self.members * max(self.encoding.width, int(self.head.shape[-2]))

    def pool_by(self, pooled: Pooling) -> None:
        """Answer by what `pooled` makes of the networks' logits."""
        self._pooled = pooled

    def forward(self, numeric: Tensor, categorical: Tensor) -> Tensor:
        """Map [n, numeric] and [n, categorical] to [n, outputs] logits; in training to [n, members, outputs]."""
        rows = self.encoding(numeric, categorical)
        spread = rows.unsqueeze(-2) * of_columns(self.spread, self.members)
        hidden: Tensor = self.body(spread.flatten(-3, -2))
        apart = hidden.reshape(*hidden.shape[:-2], -1, self.members, hidden.shape[-1])
        logits = mapped(apart, self.head) + of_columns(self.head_bias, self.members)
        return logits if self.training else self._pooled(logits.movedim(-2, 0))

    def _first_scales(self) -> Tensor:
        """Return what each network multiplies each feature by, one number for all that a raw column becomes.

        Signs at random; normal where numbers are embedded, as in the paper's section A.2.
        """
        widths = torch.tensor(self.encoding.part_widths, dtype=torch.int64)
        drawn = torch.randn(self.members, len(widths))
        scales = drawn.sign() if self.encoding.numbers is None else drawn
        return scales.repeat_interleave(widths, dim=1).flatten()

    def _layers(self, widths: Sequence[int], blocks: HiddenBlocks) -> list[nn.Module]:
        modules: list[nn.Module] = []
        before, count = self.encoding.width, len(widths)
        for index, width in enumerate(widths):
            layer: Callable[[], list[nn.Module]] = partial(self._layer, index, before, width, count, blocks)
            modules += blocks.hidden_layer(index, count, before, width, layer)
            before = width
        return modules

    def _layer(self, index: int, before: int, width: int, count: int, blocks: HiddenBlocks) -> list[nn.Module]:
        own = self._adapters == "every"
        linear = Linear(before, width, bias=not own and not blocks.recentres)
        if index == 0:
            initialize_first(linear, self.encoding.squared_length, self.encoding.reserved_inputs())
        else:
            initialize_hidden(linear, self._activation)
        shared = blocks.linear_map(linear)
        adapted = _Adapted(shared, self.members, before if index else 0, width, bias=not blocks.recentres)
        return [
            adapted if own else shared,
            *blocks.before_activation(index, count, width),
            activation(self._activation),
            *blocks.after_activation(index, count, width),
        ]


class _Adapted(nn.Module):
    """A linear map that networks share, between scales of each network's own, and its own biases.

    Args:
        linear: the map, [n, before] -> [n, width], without bias.
        members: networks.
        before: numbers that go in and are scaled; 0: they are scaled already.
        width: numbers that come out.
        bias: whether there are biases.
    """

    stacks: ClassVar[bool] = True

    def __init__(self, linear: nn.Module, members: int, before: int, width: int, bias: bool) -> None:
        super().__init__()
        self.linear = linear
        self.members = members
        self.into = nn.Parameter(torch.ones(members * before)) if before else None
        self.out = nn.Parameter(torch.ones(members * width))
        self.bias = nn.Parameter(torch.zeros(members * width)) if bias else None

    def forward(self, values: Tensor) -> Tensor:
        """Return [n x members, width] from [n x members, before]; of a stack [k, n x members, width]."""
        if self.into is not None:
            values = (self._apart(values) * of_columns(self.into, self.members)).flatten(-3, -2)
        result = self._apart(self.linear(values)) * of_columns(self.out, self.members)
        if self.bias is not None:
            result = result + of_columns(self.bias, self.members)
        return result.flatten(-3, -2)

    def _apart(self, values: Tensor) -> Tensor:
        return values.reshape(*values.shape[:-2], -1, self.members, values.shape[-1])
