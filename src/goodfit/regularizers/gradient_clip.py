"""Gradient clipping."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field
from torch import Tensor

from goodfit.regularizers.base import REGULARIZERS, Regularizer
from goodfit.regularizers.gradients import TINY, joint_norm
from goodfit.regularizers.noise import along


@REGULARIZERS.register(
    "gradient_clip",
    tasks=("binary", "multiclass", "regression"),
    needs_hidden_layers=False,
    source="Pascanu et al., On the Difficulty of Training Recurrent Neural Networks, ICML 2013, arXiv:1211.5063",
)
class GradientClip(Regularizer):
    """Shorten a gradient that is longer than `norm`, and cut its elements at `value`.

    "On the Difficulty of Training Recurrent Neural Networks" (Pascanu, Mikolov and Bengio, ICML 2013,
    arXiv:1211.5063, algorithm 1): one Euclidean norm over all parameters, so that the direction stays. `value` acts
    first where both are set.

    Options:
        norm: largest Euclidean norm of the whole gradient; 0 is off.
        value: largest absolute value of one element of it; 0 is off.
    """

    stacks = True
    varies = ("norm", "value")
    max_norm: Tensor
    max_value: Tensor

    def __init__(
        self, *, norm: Annotated[float, Field(ge=0)] = 0.0, value: Annotated[float, Field(ge=0)] = 0.0
    ) -> None:
        super().__init__()
        self._norm = norm
        self._value = value
        self.register_strength("max_norm", norm or float("inf"))
        self.register_strength("max_value", value or float("inf"))

    @property
    def active(self) -> bool:
        """Return whether either bound is set."""
        return self._norm > 0 or self._value > 0

    def gradients(self, gradients: Sequence[Tensor]) -> Sequence[Tensor]:
        """Return gradients within both bounds."""
        if self._value:
            bounds = [along(self.max_value, gradient).to(gradient.dtype) for gradient in gradients]
            gradients = [g.clamp(-bound, bound) for g, bound in zip(gradients, bounds, strict=True)]
        return clipped_by_norm(gradients, self.max_norm) if self._norm else gradients


def clipped_by_norm(gradients: Sequence[Tensor], bound: Tensor) -> list[Tensor]:
    """Scale all gradients by one factor, at most 1, so that their joint Euclidean norm is at most `bound`.

    Of a stack, gradients [k, ...] with `bound` [k].
    """
    joint = joint_norm(gradients, bound.ndim)
    factor = (bound / (joint + TINY)).clamp(max=1.0).to(joint.dtype)
    return [gradient * along(factor, gradient) for gradient in gradients]
