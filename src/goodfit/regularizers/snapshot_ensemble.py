"""The snapshot ensemble."""

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from goodfit.regularizers.base import REGULARIZERS, Regularizer
from goodfit.regularizers.moment import Moment


@REGULARIZERS.register(
    "snapshot_ensemble",
    tasks=("binary", "multiclass", "regression"),
    needs_hidden_layers=False,
    source="Huang et al., Snapshot Ensembles: Train 1, Get M for Free, ICLR 2017, arXiv:1704.00109",
)
class SnapshotEnsemble(Regularizer):
    """Predict by the mean of the networks at the ends of the last cycles of the learning rate.

    "Snapshot Ensembles: Train 1, Get M for Free" (Huang et al., ICLR 2017, arXiv:1704.00109). It needs a schedule with
    cycles (`cosine_restarts`). After every epoch, what is judged and kept is the present network (an average of
    weights, where there is one) together with the latest snapshots before it. The model on disk and in use holds all of
    them: it is `last` times as large and slow, and it averages probabilities, or values. Running statistics of norms
    are measured anew for each snapshot.

    Options:
        enabled: whether snapshots predict together; false is off.
        last: how many networks at most, the present one included.
    """

    beside = True
    needs_cycles = True

    def __init__(self, *, enabled: bool = False, last: Annotated[int, Field(ge=2, le=20)] = 3) -> None:
        super().__init__()
        self._enabled = enabled
        self._last = last

    @property
    def active(self) -> bool:
        """Return whether snapshots predict together."""
        return self._enabled

    def trail(self, weights: Tensor) -> Tensor:
        """Return room for snapshots, [last, p], the latest first."""
        return weights.new_zeros(self._last, *weights.shape)

    def follow(self, weights: Tensor, trail: Tensor, moment: Moment) -> None:
        """Take a snapshot at the end of a cycle."""
        if moment.ends_cycle:
            trail.copy_(torch.cat([weights[None], trail[:-1]]))

    def companions(self, trail: Tensor, moment: Moment) -> Tensor | None:
        """Return the latest snapshots, without one of this very step."""
        latest = 1 if moment.ends_cycle else 0
        return trail[latest : min(moment.cycles, self._last - 1 + latest)]
