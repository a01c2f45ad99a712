"""Weight decay."""

from typing import Annotated

from pydantic import Field
from torch import Tensor, nn

from goodfit.regularizers.base import REGULARIZERS, Regularizer
from goodfit.regularizers.fading import Fading, left


@REGULARIZERS.register(
    "weight_decay",
    tasks=("binary", "multiclass", "regression"),
    needs_hidden_layers=False,
    source="Loshchilov and Hutter, Decoupled Weight Decay Regularization, ICLR 2019, arXiv:1711.05101",
)
class WeightDecay(Regularizer):
    """Shrink every weight by `strength` x learning rate at each step, apart from the gradient.

    "Decoupled Weight Decay Regularization" (Loshchilov and Hutter, ICLR 2019, arXiv:1711.05101). Only weights decay:
    matrices and embedding tables. Biases, scales and shifts of norms (one dimension or none) do not.

    Options:
        strength: share of a weight lost per step and unit of learning rate; 0 is off.
        schedule: of the strength over the training, beside the learning rate's own: constant; cosine, down to 0; or
            flat_cosine, constant to half time and then down to 0.
    """

    beside = True

    def __init__(
        self, *, strength: Annotated[float, Field(ge=0, le=1000)] = 0.0, schedule: Fading = "constant"
    ) -> None:
        super().__init__()
        self._strength = strength
        self._schedule: Fading = schedule

    @property
    def active(self) -> bool:
        """Return whether weights decay."""
        return self._strength > 0

    def decay(self, name: str, parameter: nn.Parameter) -> float:
        """Return the strength for a matrix, 0 for anything of one dimension."""
        return self._strength if parameter.ndim >= 2 else 0.0

    def decay_left(self, share: Tensor) -> Tensor:
        """Return the schedule's factors."""
        return left(self._schedule, share)
