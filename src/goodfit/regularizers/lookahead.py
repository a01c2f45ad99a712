"""Lookahead."""

from typing import Annotated

from pydantic import Field
from torch import Tensor

from goodfit.regularizers.base import REGULARIZERS, Regularizer
from goodfit.regularizers.moment import Moment


@REGULARIZERS.register(
    "lookahead",
    tasks=("binary", "multiclass", "regression"),
    needs_hidden_layers=False,
    source="Zhang et al., Lookahead Optimizer: k Steps Forward, 1 Step Back, NeurIPS 2019, arXiv:1907.08610",
)
class Lookahead(Regularizer):
    """Let the optimizer run ahead for some steps, then go only a part of that way, and let it run from there.

    "Lookahead Optimizer: k Steps Forward, 1 Step Back" (Zhang et al., NeurIPS 2019, arXiv:1907.08610, algorithm 1): the
    slow weights, which are judged and kept, move by `alpha` of the way to the fast ones, which then start from them
    again; the optimizer keeps its momentum. Running statistics of norms are measured anew for the slow weights.

    Options:
        enabled: whether there are slow weights; false is off.
        steps: of the optimizer between two of the slow weights (the paper's k).
        alpha: share of the way that the slow weights go.
    """

    beside = True
    moves_weights = True

    def __init__(
        self,
        *,
        enabled: bool = False,
        steps: Annotated[int, Field(ge=1, le=1_000_000)] = 6,
        alpha: Annotated[float, Field(gt=0, le=1)] = 0.6,
    ) -> None:
        super().__init__()
        self._enabled = enabled
        self._steps = steps
        self._alpha = alpha

    @property
    def active(self) -> bool:
        """Return whether there are slow weights."""
        return self._enabled

    def follow(self, weights: Tensor, trail: Tensor, moment: Moment) -> None:
        """Let the slow weights follow, and the fast ones start anew from there, every so many steps."""
        if moment.step % self._steps == 0:
            weights.copy_(trail.lerp_(weights, self._alpha))

    def shows_trail(self, moment: Moment) -> bool:
        """Return true."""
        return True
