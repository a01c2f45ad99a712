"""The exponential moving average of weights."""

from typing import Annotated

from pydantic import Field
from torch import Tensor

from goodfit.regularizers.base import REGULARIZERS, Regularizer
from goodfit.regularizers.moment import Moment


@REGULARIZERS.register(
    "ema",
    tasks=("binary", "multiclass", "regression"),
    needs_hidden_layers=False,
    source="Polyak and Juditsky, Acceleration of Stochastic Approximation by Averaging, SIAM Journal on Control and "
    "Optimization 30, 1992",
)
class EMA(Regularizer):
    """Judge and keep a running mean of the weights, which forgets old ones exponentially, not the last ones.

    The averaging of Polyak and Juditsky (SIAM J. Control Optim. 30, 1992) with the weights of an exponential window, as
    in "Mean Teachers Are Better Role Models" (Tarvainen and Valpola, NeurIPS 2017, arXiv:1703.01780). In step t the
    share that is kept is at most (1 + t) / (10 + t), so that the first weights are soon forgotten. Running statistics
    of norms are measured anew for the mean, on one batch of train rows.

    Options:
        decay: share of the mean that is kept at each step; 0 is off.
    """

    beside = True
    one_of = "weight averaging"

    def __init__(self, *, decay: Annotated[float, Field(ge=0, lt=1)] = 0.0) -> None:
        super().__init__()
        self._decay = decay

    @property
    def active(self) -> bool:
        """Return whether weights are averaged."""
        return self._decay > 0

    def follow(self, weights: Tensor, trail: Tensor, moment: Moment) -> None:
        """Move the mean towards the weights."""
        kept = min(self._decay, (1 + moment.step) / (10 + moment.step))
        trail.lerp_(weights, 1 - kept)

    def shows_trail(self, moment: Moment) -> bool:
        """Return true."""
        return True
