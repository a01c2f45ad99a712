"""Label smoothing."""

from typing import Annotated

from pydantic import Field
from torch import Tensor
from torch.nn import functional

from goodfit.regularizers.base import REGULARIZERS, Regularizer
from goodfit.regularizers.noise import along


@REGULARIZERS.register(
    "label_smoothing",
    tasks=("binary", "multiclass"),
    needs_hidden_layers=False,
    source="Szegedy et al., Rethinking the Inception Architecture for Computer Vision, CVPR 2016, arXiv:1512.00567",
)
class LabelSmoothing(Regularizer):
    """Train on (1 - strength) x the label + strength x the uniform distribution over the classes.

    "Rethinking the Inception Architecture for Computer Vision" (Szegedy et al., CVPR 2016, arXiv:1512.00567,
    section 7). Only training targets are smoothed: losses that are reported or chosen by are not.

    Options:
        strength: share of the uniform distribution in the target; 0 is off.
    """

    stacks = True
    varies = ("strength",)
    epsilon: Tensor

    def __init__(self, *, strength: Annotated[float, Field(ge=0, lt=1)] = 0.0) -> None:
        super().__init__()
        self._strength = strength
        self.register_strength("epsilon", strength)

    @property
    def active(self) -> bool:
        """Return whether labels are smoothed."""
        return self._strength > 0

    def targets(self, target: Tensor, classes: int) -> Tensor:
        """Return [n, classes] probabilities from [n] class indices or from [n, classes] probabilities."""
        return smoothed(target, classes, self.epsilon)


def smoothed(target: Tensor, classes: int, epsilon: Tensor) -> Tensor:
    """Mix [n] class indices (or [n, classes] probabilities) with the uniform distribution; `epsilon` is its share.

    Of a stack, [k, n] or [k, n, classes] with `epsilon` [k].
    """
    certain = functional.one_hot(target.long(), classes) if target.ndim == epsilon.ndim + 1 else target
    share = along(epsilon, certain).float()
    return certain.float() * (1 - share) + share / classes
