"""Stochastic weight averaging."""

from typing import Annotated

from pydantic import Field
from torch import Tensor

from goodfit.regularizers.base import REGULARIZERS, Regularizer
from goodfit.regularizers.moment import Moment


@REGULARIZERS.register(
    "swa",
    tasks=("binary", "multiclass", "regression"),
    needs_hidden_layers=False,
    source="Izmailov et al., Averaging Weights Leads to Wider Optima and Better Generalization, UAI 2018, "
    "arXiv:1803.05407",
)
class SWA(Regularizer):
    """Judge and keep the mean of the weights at several times late in the training, not the last ones.

    "Averaging Weights Leads to Wider Optima and Better Generalization" (Izmailov et al., UAI 2018, arXiv:1803.05407).
    With a schedule that has cycles (`cosine_restarts`) the weights at the end of each cycle are averaged, otherwise
    those after every epoch behind the first `start` of all epochs. Until there is an average, the weights themselves
    count. Running statistics of norms are measured anew for the mean, on one batch of train rows.

    Options:
        enabled: whether weights are averaged; false is off.
        start: the share of all epochs after which averaging begins, under a schedule without cycles.
    """

    beside = True
    one_of = "weight averaging"

    def __init__(self, *, enabled: bool = False, start: Annotated[float, Field(ge=0, lt=1)] = 0.75) -> None:
        super().__init__()
        self._enabled = enabled
        self._start = start

    @property
    def active(self) -> bool:
        """Return whether weights are averaged."""
        return self._enabled

    def follow(self, weights: Tensor, trail: Tensor, moment: Moment) -> None:
        """Take the weights into the mean at the end of a cycle, or of an epoch late enough."""
        due = moment.ends_cycle if moment.cycle_ends else moment.ends_epoch
        if due and (count := self._averaged(moment)):
            trail.lerp_(weights, 1 / count)

    def shows_trail(self, moment: Moment) -> bool:
        """Return whether there is a mean."""
        return self._averaged(moment) > 0

    def _averaged(self, moment: Moment) -> int:
        return moment.cycles if moment.cycle_ends else moment.epochs_beyond(self._start)
