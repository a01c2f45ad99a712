"""Noise on numeric features."""

from typing import Annotated

from pydantic import Field
from torch import Tensor

from goodfit.regularizers.base import REGULARIZERS, Regularizer
from goodfit.regularizers.noise import along, normal
from goodfit.regularizers.rows import Rows


@REGULARIZERS.register(
    "input_noise",
    tasks=("binary", "multiclass", "regression"),
    needs_hidden_layers=False,
    source="Bishop, Training with Noise is Equivalent to Tikhonov Regularization, Neural Computation 7, 1995",
)
class InputNoise(Regularizer):
    """Add Gaussian noise to every number of a training row; flags and categories stay as they are.

    "Training with Noise is Equivalent to Tikhonov Regularization" (Bishop, Neural Computation 7, 1995).

    Options:
        strength: standard deviation of the noise, in standard deviations of the feature; 0 is off.
    """

    stacks = True
    varies = ("strength",)
    deviation: Tensor

    def __init__(self, *, strength: Annotated[float, Field(ge=0, le=10)] = 0.0) -> None:
        super().__init__()
        self._strength = strength
        self.register_strength("deviation", strength)

    @property
    def active(self) -> bool:
        """Return whether there is any noise."""
        return self._strength > 0

    def batch(self, rows: Rows, target: Tensor, classes: int) -> tuple[Rows, Tensor]:
        """Return the rows with noise on their numbers."""
        measured = rows.measured().nonzero()[:, 0]
        noise = normal(rows.numeric[..., measured])
        noise = noise * along(self.deviation, noise).to(noise.dtype)
        return Rows(rows.numeric.index_add(-1, measured, noise), rows.categorical, rows.layout), target
