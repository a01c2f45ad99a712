"""Sharpness-aware minimization."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field
from torch import Tensor

from goodfit.regularizers.base import REGULARIZERS, Regularizer
from goodfit.regularizers.gradients import TINY, joint_norm
from goodfit.regularizers.noise import along


@REGULARIZERS.register(
    "sam",
    tasks=("binary", "multiclass", "regression"),
    needs_hidden_layers=False,
    source="Foret et al., Sharpness-Aware Minimization for Efficiently Improving Generalization, ICLR 2021, "
    "arXiv:2010.01412",
)
class SAM(Regularizer):
    """Step along the gradient that is taken where the loss is worst within `rho` of the weights, to first order.

    "Sharpness-Aware Minimization for Efficiently Improving Generalization" (Foret et al., ICLR 2021, arXiv:2010.01412,
    algorithm 1): a second gradient per step, with the same rows and the same noise, at the weights + `rho` x the
    gradient / its norm over all parameters. The objective that is reported is the one there. A step costs about twice
    as much.

    Options:
        rho: how far from the weights the loss is looked at; 0 is off. The paper's is 0.05.
    """

    stacks = True
    varies = ("rho",)
    radius: Tensor

    def __init__(self, *, rho: Annotated[float, Field(ge=0, le=1000)] = 0.0) -> None:
        super().__init__()
        self._rho = rho
        self.register_strength("radius", rho)

    @property
    def active(self) -> bool:
        """Return whether there is a second gradient."""
        return self._rho > 0

    def perturbation(self, gradients: Sequence[Tensor]) -> Sequence[Tensor]:
        """Return gradients scaled to the joint norm `rho`."""
        factor = self.radius / (joint_norm(gradients, self.radius.ndim) + TINY)
        return [gradient * along(factor, gradient).to(gradient.dtype) for gradient in gradients]
