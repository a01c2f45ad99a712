"""The multilayer perceptron."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated

from pydantic import Field
from torch import Tensor, nn

from goodfit.models.activations import ActivationName, activation
from goodfit.models.base import MODELS, HiddenBlocks, Inputs
from goodfit.models.encoding import EncodedModel, Encoding
from goodfit.models.initialization import initialize_first, initialize_hidden, initialize_output
from goodfit.models.layers import Linear
from goodfit.registry import Section

Width = Annotated[int, Field(ge=1, le=65536)]


@MODELS.register("mlp", vectorizes=True, hidden_layers=True)
class MLP(EncodedModel):
    """Fully connected layers with one activation function between them.

    Weights start as in "Delving Deep into Rectifiers" (He et al., 2015, arXiv:1502.01852), with the gain of the chosen
    activation, integrated rather than taken from ReLU; biases start at 0. Columns of up to `max_one_hot` levels are
    one-hot, others learn an embedding ("Entity Embeddings of Categorical Variables", Guo and Berkhahn, 2016,
    arXiv:1604.06737).

    Options:
        layers: number of hidden layers.
        width: neurons in each hidden layer.
        widths: neurons of each hidden layer, one by one, instead of `layers` and `width`.
        activation: relu, leaky_relu, elu, selu, gelu, silu, mish, tanh, sigmoid, softplus or hardswish.
        max_one_hot: categorical columns of at most so many levels are one-hot, others are embedded.
        embedding: numbers per embedded column.
    """

    stacks = True

    def __init__(
        self,
        inputs: Inputs,
        outputs: int,
        blocks: HiddenBlocks,
        *,
        layers: Annotated[int, Field(ge=1, le=256)] = 2,
        width: Width = 128,
        widths: Annotated[list[Width], Field(min_length=1, max_length=256)] | None = None,
        activation: ActivationName = "relu",
        max_one_hot: Annotated[int, Field(ge=0, le=10_000)] = 9,
        embedding: Annotated[int, Field(ge=1, le=1024)] = 8,
    ) -> None:
        super().__init__(inputs, max_one_hot, embedding)
        hidden = widths or [width] * layers
        self.body = _hidden_layers(self.encoding, hidden, activation, blocks)
        self.head = Linear(hidden[-1], outputs)
        initialize_output(self.head)

    @staticmethod
    def hidden_widths(options: Section) -> Sequence[int]:
        """Return the width of each hidden layer."""
        chosen = options.model_dump()
        widths: Sequence[int] = chosen["widths"] or [chosen["width"]] * chosen["layers"]
        return widths

    def forward(self, numeric: Tensor, categorical: Tensor) -> Tensor:
        """Map [n, numeric] and [n, categorical], raw or prepared, to [n, outputs] logits."""
        logits: Tensor = self.head(self.body(self.encoding(numeric, categorical)))
        return logits


def _hidden_layers(encoding: Encoding, widths: list[int], name: ActivationName, blocks: HiddenBlocks) -> nn.Sequential:
    modules: list[nn.Module] = []
    before = encoding.width
    for index, width in enumerate(widths):
        layer = partial(_hidden_layer, encoding, index, widths, name, blocks)
        modules += blocks.hidden_layer(index, len(widths), before, width, layer)
        before = width
    return nn.Sequential(*modules)


def _hidden_layer(
    encoding: Encoding, index: int, widths: list[int], name: ActivationName, blocks: HiddenBlocks
) -> list[nn.Module]:
    before, width = widths[index - 1] if index else encoding.width, widths[index]
    linear = Linear(before, width, bias=not blocks.recentres)
    if index == 0:
        initialize_first(linear, encoding.squared_length, encoding.reserved_inputs())
    else:
        initialize_hidden(linear, name)
    before_it = blocks.before_activation(index, len(widths), width)
    after_it = blocks.after_activation(index, len(widths), width)
    return [blocks.linear_map(linear), *before_it, activation(name), *after_it]
