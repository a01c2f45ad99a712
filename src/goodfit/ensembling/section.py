"""The `train` section of params.yaml."""

from typing import Annotated

from pydantic import Field

from goodfit.bundle import MOST_NETWORKS
from goodfit.registry import Section

PER_VOTE = 3
"""Settings of the search that are trained for each vote: a choice among equals of the best gains little."""


class TrainSection(Section):
    """What becomes of the best settings.

    Options:
        ensemble: votes of an ensemble that is chosen, on the valid rows, among models of the search's best settings,
            half of them the very best ones from other seeds; 1 is no ensemble.
        refit: whether the model, or each of the ensemble, is trained anew on the train and the valid rows together, for
            the epochs that were best on valid. Temperature, threshold and intervals stay those of the model before,
            because the valid rows cannot judge one that has seen them; every figure on them is marked so from then on.
    """

    ensemble: Annotated[int, Field(ge=1, le=MOST_NETWORKS)] = 1
    refit: bool = False

    @property
    def library(self) -> int:
        """Return how many settings of the search are trained to choose among."""
        return PER_VOTE * self.ensemble if self.ensemble > 1 else 1
