"""How members would stand if their learning rates had fallen by now: by the mean of an epoch's later weights.

While the learning rate is high, a validation loss tells mostly how far the last steps threw the weights about, and
members of high learning rates look worse than they will come out. Their mean lies in the middle, as weights do after an
annealing. Sources: Izmailov et al., Averaging Weights Leads to Wider Optima and Better Generalization, UAI 2018,
arXiv:1803.05407; Haegele et al., Scaling Laws and Compute-Optimal Training Beyond Fixed Training Durations, NeurIPS
2024, arXiv:2405.18392 (that an average stands in for a cooldown).
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from goodfit.training.batches import Batch
from goodfit.training.population.network import Network
from goodfit.training.population.recalibrating import recalibrated
from goodfit.training.population.shown import Networks, Shown
from goodfit.training.population.stack import Stack
from goodfit.training.population.standing import Standing


class Foresight:
    """The mean of the weights over the later half of an epoch's steps, for members that are foreseen; else nothing.

    Each epoch begins a mean of its own, so that no checkpoint has to hold it.

    Args:
        standings: of the members of a stack, alike in this.
        steps: of an epoch.
    """

    def __init__(self, standings: Sequence[Standing], steps: int) -> None:
        self.active = standings[0].candidate.foreseen
        self._first = steps // 2
        self._mean = torch.empty(0)

    def follow(self, weights: Tensor, step: int) -> None:
        """Take the weights [k, p] after a step of the epoch, from 0."""
        if not self.active or step < self._first:
            return
        if step == self._first:
            self._mean = weights.clone()
        else:
            self._mean.lerp_(weights, 1 / (step - self._first + 1))

    def shown(self, stack: Stack, network: Network, train: Batch) -> Shown:
        """Return what members would predict by; running statistics are taken anew from the train rows."""
        parameters = stack.views(self._mean)
        return Shown([Networks(parameters, recalibrated(network, parameters, train))], [1] * len(stack))
