"""Second sets of weights that regularizers keep beside the first: averages, slow weights."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from goodfit.regularizers import Moment
from goodfit.training.population.standing import Standing


class Trails:
    """For each regularizer that keeps one, the trails [k, p] of all members; each member moves its own row alone.

    Args:
        standings: of the members.
        weights: [k, p], their first weights.
        per_epoch: steps of an epoch.
    """

    def __init__(self, standings: Sequence[Standing], weights: Tensor, per_epoch: int) -> None:
        self.followers = [Followers(standing, per_epoch) for standing in standings]
        kinds = {kind for followers in self.followers for kind in followers.members}
        self.rows = {kind: weights.clone() for kind in sorted(kinds)}

    def follow(self, weights: Tensor, step: int) -> None:
        """Move the trails, or the weights [k, p], after a step, in place."""
        for row, followers in enumerate(self.followers if self.rows else ()):
            moment = followers.moment(step)
            for kind, member in followers.members.items():
                member.follow(weights[row], self.rows[kind][row], moment)

    def shown(self, step: int) -> dict[int, Tensor]:
        """Return by row the trails [p] that are what their members have come to; the weights are what others have."""
        kinds = {row: followers.shown(step) for row, followers in enumerate(self.followers if self.rows else ())}
        return {row: self.rows[kind][row] for row, kind in kinds.items() if kind}

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with some of the members."""
        self.followers = [self.followers[row] for row in rows]
        self.rows = {kind: tensor[list(rows)] for kind, tensor in self.rows.items()}

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint holds of it."""
        return dict(self.rows)

    def load_state_dict(self, value: Mapping[str, Any]) -> None:
        """Go on from a checkpoint of the same members."""
        for kind, tensor in self.rows.items():
            tensor.copy_(value[kind])


class Followers:
    """The regularizers of one member that keep trails, and the time of its training."""

    def __init__(self, standing: Standing, per_epoch: int) -> None:
        self.members = standing.member.regularization.trailing
        self.per_epoch = per_epoch
        self.epochs = standing.candidate.recipe.training.epochs
        self.cycle_ends = tuple(standing.schedule.cycle_ends(per_epoch * self.epochs))

    def moment(self, step: int) -> Moment:
        """Return where the training stands after a step."""
        return Moment(step, self.per_epoch, self.epochs, self.cycle_ends)

    def shown(self, step: int) -> str:
        """Return whose trail is what the training has come to; empty where the weights are."""
        moment = self.moment(step)
        return next((kind for kind in reversed(self.members) if self.members[kind].shows_trail(moment)), "")
