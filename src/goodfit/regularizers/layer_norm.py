"""Layer normalization."""

from typing import Annotated

from pydantic import Field
from torch import nn

from goodfit.regularizers.base import REGULARIZERS, Regularizer
from goodfit.regularizers.normalizing import RowNorm


@REGULARIZERS.register(
    "layer_norm",
    tasks=("binary", "multiclass", "regression"),
    needs_hidden_layers=True,
    source="Ba, Kiros and Hinton, Layer Normalization, 2016, arXiv:1607.06450",
)
class LayerNorm(Regularizer):
    """Normalise the input of every hidden activation over the features of its row, with a learned scale and shift.

    "Layer Normalization" (Ba, Kiros and Hinton, 2016, arXiv:1607.06450). A row's result does not depend on its batch,
    so that it does the same in training and in prediction.

    Options:
        enabled: whether hidden layers are normalised; false is off.
        epsilon: added to the variance, against division by zero.
    """

    one_of = "normalization"

    def __init__(self, *, enabled: bool = False, epsilon: Annotated[float, Field(gt=0, le=1)] = 1e-5) -> None:
        super().__init__()
        self._enabled = enabled
        self._epsilon = epsilon

    @property
    def active(self) -> bool:
        """Return whether hidden layers are normalised."""
        return self._enabled

    def before_activation(self, index: int, count: int, width: int) -> list[nn.Module]:
        """Return one normalising layer."""
        return [RowNorm(width, 1, self._epsilon)]
