"""The multilayer perceptron."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field
from torch import nn

from goodfit.models.activations import ActivationName, ParametricActivation, activation
from goodfit.models.base import MODELS, HiddenBlocks, Inputs
from goodfit.models.encoding import Encoding, SequentialModel
from goodfit.models.initialization import initialize_first, initialize_hidden, initialize_output
from goodfit.models.layers import FeatureScaling, Linear, NTKLinear
from goodfit.registry import Section

Width = Annotated[int, Field(ge=1, le=65536)]
Parametrization: TypeAlias = Literal["standard", "ntk"]
SCALING_SPEED, ACTIVATION_SPEED = 6.0, 0.1
"""Learning rates of RealMLP's scaling layer and of its activations' parameters, as multiples."""


@MODELS.register("mlp", vectorizes=True, hidden_layers=True)
class MLP(SequentialModel):
    """Fully connected layers with one activation function between them.

    Weights start as in "Delving Deep into Rectifiers" (He et al., 2015, arXiv:1502.01852), with the gain of the chosen
    activation, integrated rather than taken from ReLU; biases start at 0. Columns of up to `max_one_hot` levels are
    one-hot, others learn an embedding ("Entity Embeddings of Categorical Variables", Guo and Berkhahn, 2016,
    arXiv:1604.06737). `feature_scaling`, `parametrization: ntk` and `parametric_activation` are those of RealMLP
    ("Better by Default", Holzmüller, Grinsztajn and Steinwart, NeurIPS 2024, arXiv:2407.04491, section 3), which trains
    with much larger learning rates then (0.04 for classes, 0.2 for numbers).

    Options:
        layers: number of hidden layers.
        width: neurons in each hidden layer.
        widths: neurons of each hidden layer, one by one, instead of `layers` and `width`.
        activation: relu, leaky_relu, elu, selu, gelu, silu, mish, tanh, sigmoid, softplus or hardswish.
        feature_scaling: whether a learned factor multiplies each input, with six times the learning rate.
        parametrization: standard; or ntk, weights of the size of 1 divided by the root of the inputs' number.
        parametric_activation: whether each neuron learns how much of the activation and how much of its input it gives.
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
        feature_scaling: bool = False,
        parametrization: Parametrization = "standard",
        parametric_activation: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(inputs, **options)
        hidden = widths or [width] * layers
        self.scaling = FeatureScaling(self.encoding.width, SCALING_SPEED) if feature_scaling else None
        layer = _HiddenLayer(self.encoding, hidden, activation, parametrization, parametric_activation, blocks)
        self.body = nn.Sequential(*layer.every())
        head = Linear(hidden[-1], outputs)
        initialize_output(head)
        self.head = NTKLinear(head) if parametrization == "ntk" else head

    @staticmethod
    def hidden_widths(options: Section) -> Sequence[int]:
        """Return the width of each hidden layer."""
        chosen = options.model_dump()
        widths: Sequence[int] = chosen["widths"] or [chosen["width"]] * chosen["layers"]
        return widths

    def in_sequence(self) -> Sequence[nn.Module]:
        """Return the encoding, the scaling if there is any, the hidden layers and the head."""
        scaling = [] if self.scaling is None else [self.scaling]
        return [self.encoding, *scaling, self.body, self.head]


@dataclass(frozen=True)
class _HiddenLayer:
    """What hidden layers are made of."""

    encoding: Encoding
    widths: list[int]
    activation: ActivationName
    parametrization: Parametrization
    parametric: bool
    blocks: HiddenBlocks

    def every(self) -> list[nn.Module]:
        """Return the modules of all layers."""
        modules: list[nn.Module] = []
        before, count = self.encoding.width, len(self.widths)
        for index, width in enumerate(self.widths):
            modules += self.blocks.hidden_layer(index, count, before, width, partial(self.plain, index, before))
            before = width
        return modules

    def plain(self, index: int, before: int) -> list[nn.Module]:
        """Return the modules of one layer, without a path around it."""
        width, count = self.widths[index], len(self.widths)
        linear = self.blocks.linear_map(self._linear(index, before))
        around = self.blocks.before_activation(index, count, width), self.blocks.after_activation(index, count, width)
        return [linear, *around[0], self._activation(width), *around[1]]

    def _linear(self, index: int, before: int) -> Linear:
        linear = Linear(before, self.widths[index], bias=not self.blocks.recentres)
        if index == 0:
            initialize_first(linear, self.encoding.squared_length, self.encoding.reserved_inputs())
        else:
            initialize_hidden(linear, self.activation)
        return NTKLinear(linear) if self.parametrization == "ntk" else linear

    def _activation(self, width: int) -> nn.Module:
        if self.parametric:
            return ParametricActivation(self.activation, width, ACTIVATION_SPEED)
        return activation(self.activation)
