"""A residual network for tables."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any

from pydantic import Field
from torch import nn

from goodfit.models.activations import ActivationName, activation
from goodfit.models.base import MODELS, HiddenBlocks, Inputs
from goodfit.models.encoding import SequentialModel
from goodfit.models.initialization import initialize_branch, initialize_first, initialize_hidden, initialize_output
from goodfit.models.layers import Linear, Residual
from goodfit.registry import Section


@MODELS.register("resnet", vectorizes=True, hidden_layers=True)
class ResNet(SequentialModel):
    """Blocks of two linear maps with an activation between them, each added to what went in.

    The ResNet of "Revisiting Deep Learning Models for Tabular Data" (Gorishniy et al., NeurIPS 2021, arXiv:2106.11959,
    section 3.2): normalization, linear map, activation, dropout, linear map. Normalization and dropout are settings of
    `regularization`: with `batch_norm` it is the paper's. `shake_shake`, `shake_drop` and `stochastic_depth` act on its
    blocks, through `skip_connections`, which by itself adds nothing: every block has its path already.

    Options:
        layers: number of blocks.
        width: neurons between blocks.
        expansion: neurons inside a block, as a multiple of `width`.
        activation: relu, leaky_relu, elu, selu, gelu, silu, mish, tanh, sigmoid, softplus or hardswish.
    """

    stacks = True

    def __init__(
        self,
        inputs: Inputs,
        outputs: int,
        blocks: HiddenBlocks,
        *,
        layers: Annotated[int, Field(ge=1, le=256)] = 2,
        width: Annotated[int, Field(ge=1, le=65536)] = 128,
        expansion: Annotated[int, Field(ge=1, le=64)] = 2,
        activation: ActivationName = "relu",
        **options: Any,
    ) -> None:
        super().__init__(inputs, **options)
        self._activation: ActivationName = activation
        self._width, self._hidden, self._count = width, width * expansion, layers
        first = Linear(self.encoding.width, width)
        initialize_first(first, self.encoding.squared_length, self.encoding.reserved_inputs())
        self.body = nn.Sequential(first, *(module for index in range(layers) for module in self._block(index, blocks)))
        self.head = nn.Sequential(*self._before_head(blocks, outputs))

    @staticmethod
    def hidden_widths(options: Section) -> Sequence[int]:
        """Return the number of neurons inside each block."""
        chosen = options.model_dump()
        return [chosen["width"] * chosen["expansion"]] * (chosen["layers"] + 1)

    def in_sequence(self) -> Sequence[nn.Module]:
        """Return the encoding, the blocks and what comes after them."""
        return [self.encoding, self.body, self.head]

    def _block(self, index: int, blocks: HiddenBlocks) -> list[nn.Module]:
        """Return block `index` with the path around it: that of regularizers where they have one, to act on it."""
        branch, width = partial(self._branch, index, blocks), self._width
        if blocks.shortcuts:  # to them the first layer that can have a path has the index 1
            return blocks.hidden_layer(index + 1, self._count + 1, width, width, branch)
        return [Residual(nn.Sequential(*branch()))]

    def _branch(self, index: int, blocks: HiddenBlocks) -> list[nn.Module]:
        into, out = Linear(self._width, self._hidden), Linear(self._hidden, self._width)
        initialize_hidden(into)
        initialize_branch(out, self._activation, self._count)
        return [
            *blocks.before_activation(index, self._count, self._width),
            blocks.linear_map(into),
            activation(self._activation),
            *blocks.after_activation(index, self._count, self._hidden),
            blocks.linear_map(out),
        ]

    def _before_head(self, blocks: HiddenBlocks, outputs: int) -> list[nn.Module]:
        """Return normalization, activation and the map to logits."""
        last = Linear(self._width, outputs)
        initialize_output(last)
        around = blocks.before_activation(self._count - 1, self._count, self._width)
        return [*around, activation(self._activation), last]
