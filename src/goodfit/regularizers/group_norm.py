"""Group normalization."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field
from torch import nn

from goodfit.errors import Fault
from goodfit.regularizers.base import REGULARIZERS, Regularizer
from goodfit.regularizers.normalizing import RowNorm


@REGULARIZERS.register(
    "group_norm",
    tasks=("binary", "multiclass", "regression"),
    needs_hidden_layers=True,
    source="Wu and He, Group Normalization, ECCV 2018, arXiv:1803.08494",
)
class GroupNorm(Regularizer):
    """Normalise the input of every hidden activation over groups of its row's features, with a learned scale and shift.

    "Group Normalization" (Wu and He, ECCV 2018, arXiv:1803.08494). One group is layer normalization.

    Options:
        groups: groups of equally many neighbouring features in every hidden layer; 0 is off.
        epsilon: added to the variance, against division by zero.
    """

    one_of = "normalization"

    def __init__(
        self,
        *,
        groups: Annotated[int, Field(ge=0, le=65536)] = 0,
        epsilon: Annotated[float, Field(gt=0, le=1)] = 1e-5,
    ) -> None:
        super().__init__()
        self._groups = groups
        self._epsilon = epsilon

    @property
    def active(self) -> bool:
        """Return whether hidden layers are normalised."""
        return self._groups > 0

    def before_activation(self, index: int, count: int, width: int) -> list[nn.Module]:
        """Return one normalising layer."""
        return [RowNorm(width, self._groups, self._epsilon)]

    def width_faults(self, widths: Sequence[int]) -> list[Fault]:
        """Return a fault for widths that do not make equal groups of at least two features."""
        unequal = [width for width in widths if width % self._groups or width < 2 * self._groups]
        if not unequal:
            return []
        rule = f"must make equal groups of at least two features, and a hidden layer has {unequal[0]} features"
        return [Fault("groups", rule, self._groups, "Take a divisor of every width, below half of it.")]
