"""Class weights."""

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from goodfit.errors import ConfigurationError, Fault
from goodfit.regularizers.base import REGULARIZERS, Regularizer


@REGULARIZERS.register(
    "class_weights",
    tasks=("binary", "multiclass"),
    needs_hidden_layers=False,
    source="King and Zeng, Logistic Regression in Rare Events Data, Political Analysis 9, 2001",
)
class ClassWeights(Regularizer):
    """Weigh each row's loss by its class.

    "Logistic Regression in Rare Events Data" (King and Zeng, Political Analysis 9, 2001, equation 6). Weights are
    scaled so that the train rows weigh 1 on average, which leaves the learning rate its meaning. A target of several
    classes weighs what they do on average. Probabilities of a model that is trained so are those of a world whose
    classes are as frequent as they weigh; temperature scaling does not undo that.

    Options:
        weights: none is off; balanced weighs every class by the inverse of its frequency in the train rows; or one
            number per class, in the order in which reports list them.
    """

    stacks = True
    factors: Tensor

    def __init__(
        self, *, weights: Literal["none", "balanced"] | list[Annotated[float, Field(gt=0, le=1e6)]] = "none"
    ) -> None:
        super().__init__()
        self._weights = weights
        self.register_buffer("factors", torch.ones((), dtype=torch.float64), persistent=False)

    @property
    def active(self) -> bool:
        """Return whether classes weigh differently."""
        return self._weights != "none"

    def meet(self, target: Tensor, classes: int) -> None:
        """Count the classes of the train rows.

        Raises:
            ConfigurationError: there are not as many weights as classes.
        """
        counts = torch.bincount(target.long(), minlength=classes).double()
        chosen = 1 / counts.clamp(min=1) if self._weights == "balanced" else self._explicit(classes)
        self.factors = chosen * counts.sum() / (chosen * counts).sum()

    def row_losses(self, losses: Tensor, logits: Tensor, target: Tensor, classes: int) -> Tensor:
        """Return the weighed losses."""
        factors = self.factors.to(losses.dtype)
        if target.ndim == losses.ndim:
            return losses * factors.gather(-1, target.long())
        return losses * (target.to(losses.dtype) * factors[..., None, :]).sum(dim=-1)

    def _explicit(self, classes: int) -> Tensor:
        if len(self._weights) != classes:
            rule = f"has {len(self._weights)} weights for {classes} classes"
            place = "params.yaml: regularization.class_weights.weights"
            raise ConfigurationError([Fault(place, rule, None, "Write one number for each class.")])
        return torch.tensor(self._weights, dtype=torch.float64)
