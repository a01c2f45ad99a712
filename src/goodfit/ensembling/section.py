"""The `train` section of params.yaml."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from goodfit.bundle import MOST_NETWORKS
from goodfit.registry import Section, refuse

PER_VOTE = 3
"""Settings of the search that are trained for each vote: a choice among equals of the best gains little."""


class TrainSection(Section):
    """What becomes of the best settings.

    Options:
        ensemble: votes of an ensemble of the search's best settings; 1 is no ensemble.
        votes: greedy chooses, by the loss on the valid rows, among three models for each vote, half of them other
            settings and half the very best ones from other seeds; a model may have several votes or none. equal
            chooses nothing: one vote for each of the best settings that completed and, beside `tune.against`, were
            within the tolerance; where they are too few, for the very best ones from other seeds. Only equal keeps to
            what `tune.against` chose by.
        refit: whether the model, or each of the ensemble, is trained anew on the train and the valid rows together, for
            the epochs that were best on valid. Temperature, threshold and intervals stay those of the model before,
            because the valid rows cannot judge one that has seen them; every figure on them is marked so from then on.
    """

    ensemble: Annotated[int, Field(ge=1, le=MOST_NETWORKS)] = 1
    votes: Literal["greedy", "equal"] = "greedy"
    refit: bool = False

    @model_validator(mode="after")
    def _something_to_vote(self) -> Self:
        if self.votes == "equal" and self.ensemble == 1:
            refuse("one model has nobody to vote with", "Set train.ensemble to at least 2, or drop train.votes.")
        return self

    @property
    def library(self) -> int:
        """Return how many models are trained, to choose among or to vote alike."""
        chosen = self.ensemble > 1 and self.votes == "greedy"
        return PER_VOTE * self.ensemble if chosen else self.ensemble
