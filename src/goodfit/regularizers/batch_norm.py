"""Batch normalization."""

from typing import Annotated, ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from goodfit.regularizers.base import REGULARIZERS, Regularizer


class BatchNormLayer(nn.Module):
    """Normalise each feature over the batch in training, by running statistics in prediction.

    Unlike `torch.nn.BatchNorm1d` it does not raise on a batch of one row, which has no variance: such a batch is
    normalised by the running statistics and leaves them as they are.

    Args:
        width: features per row.
        momentum: weight of a batch in the running statistics.
        epsilon: added to the variance, against division by zero.
    """

    stacks: ClassVar[bool] = True
    settles: ClassVar[int] = 1
    running_mean: Tensor
    running_var: Tensor

    def __init__(self, width: int, momentum: float, epsilon: float) -> None:
        super().__init__()
        self.momentum = momentum
        self.epsilon = epsilon
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))
        self.register_buffer("running_mean", torch.zeros(width))
        self.register_buffer("running_var", torch.ones(width))

    def forward(self, values: Tensor) -> Tensor:
        """Return [n, width], or [k, n, width] of a stack."""
        if values.ndim == 2:
            return self._normalized(values)
        members, rows, width = values.shape  # the features of all members side by side are one wide batch
        return self._normalized(values.transpose(0, 1).reshape(rows, -1)).view(rows, members, width).transpose(0, 1)

    def _normalized(self, values: Tensor) -> Tensor:
        return functional.batch_norm(
            values,
            self.running_mean.view(-1),
            self.running_var.view(-1),
            self.weight.reshape(-1),
            self.bias.reshape(-1),
            training=self.training and values.shape[0] > 1,
            momentum=self.momentum,
            eps=self.epsilon,
        )


@REGULARIZERS.register(
    "batch_norm",
    tasks=("binary", "multiclass", "regression"),
    needs_hidden_layers=True,
    source="Ioffe and Szegedy, Batch Normalization, ICML 2015, arXiv:1502.03167",
)
class BatchNorm(Regularizer):
    """Normalise the input of every hidden activation over the batch, with a learned scale and shift.

    "Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate Shift" (Ioffe and Szegedy,
    ICML 2015, arXiv:1502.03167). It regularizes by the noise of the batch's statistics: small batches, much noise.

    Options:
        enabled: whether hidden layers are normalised; false is off.
        momentum: weight of each batch in the running statistics that prediction uses.
        epsilon: added to the variance, against division by zero.
    """

    recentres = True
    one_of = "normalization"

    def __init__(
        self,
        *,
        enabled: bool = False,
        momentum: Annotated[float, Field(gt=0, le=1)] = 0.1,
        epsilon: Annotated[float, Field(gt=0, le=1)] = 1e-5,
    ) -> None:
        super().__init__()
        self._enabled = enabled
        self._momentum = momentum
        self._epsilon = epsilon

    @property
    def active(self) -> bool:
        """Return whether hidden layers are normalised."""
        return self._enabled

    def before_activation(self, index: int, count: int, width: int) -> list[nn.Module]:
        """Return one normalising layer."""
        return [BatchNormLayer(width, self._momentum, self._epsilon)]
