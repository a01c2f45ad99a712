"""The `train` section of params.yaml."""

from typing import Annotated, Literal

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
        votes: greedy chooses among three models for each vote by the loss on the valid rows, so that a model may have
            several votes or none; equal gives one to each of the search's best settings. Equal chooses nothing on the
            valid rows; greedy mostly finds a lower loss.
        refit: whether the model, or each of the ensemble, is trained anew on the train and the valid rows together, for
            the epochs that were best on valid. Temperature, threshold and intervals stay those of the model before,
            because the valid rows cannot judge one that has seen them; every figure on them is marked so from then on.
    """

    ensemble: Annotated[int, Field(ge=1, le=MOST_NETWORKS)] = 1
    votes: Literal["greedy", "equal"] = "greedy"
    refit: bool = False

    @property
    def library(self) -> int:
        """Return how many models are trained, to choose among or to vote alike."""
        chosen = self.ensemble > 1 and self.votes == "greedy"
        return PER_VOTE * self.ensemble if chosen else self.ensemble
