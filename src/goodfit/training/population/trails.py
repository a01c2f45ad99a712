"""Further sets of weights that regularizers keep beside the first: averages, slow weights, snapshots."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from goodfit.regularizers import Moment
from goodfit.training.population.standing import Standing


class Trails:
    """The trails of all members; each member moves its own.

    Args:
        standings: of the members.
        weights: [k, p], their first weights.
        per_epoch: steps of an epoch.
    """

    def __init__(self, standings: Sequence[Standing], weights: Tensor, per_epoch: int) -> None:
        rows = zip(standings, weights, strict=True)
        self.members = [MemberTrails(standing, first, per_epoch) for standing, first in rows]
        self._active = any(member.trails for member in self.members)

    def follow(self, weights: Tensor, step: int) -> None:
        """Move the trails, or the weights [k, p], after a step, in place."""
        if self._active:
            for member, own in zip(self.members, weights, strict=True):
                member.follow(own, step)

    def shown(self, step: int) -> dict[int, Tensor]:
        """Return by row the trails [p] that are what their members have come to; the weights are what others have."""
        found = {row: member.shown(step) for row, member in enumerate(self.members)}
        return {row: trail for row, trail in found.items() if trail is not None}

    def companions(self, step: int) -> dict[int, Tensor]:
        """Return by row the weights [c, p] of networks that predict together with what their member has come to."""
        found = {row: member.companions(step) for row, member in enumerate(self.members)}
        return {row: weights for row, weights in found.items() if weights is not None}

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with some of the members."""
        self.members = [self.members[row] for row in rows]

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint holds of it."""
        return {"members": [member.trails for member in self.members]}

    def load_state_dict(self, value: Mapping[str, Any]) -> None:
        """Go on from a checkpoint of the same members."""
        for member, found in zip(self.members, value["members"], strict=True):
            for kind, trail in member.trails.items():
                trail.copy_(found[kind])


class MemberTrails:
    """The regularizers of one member that keep trails, their trails, and the time of its training."""

    def __init__(self, standing: Standing, first: Tensor, per_epoch: int) -> None:
        self.regularizers = standing.member.regularization.trailing
        self.trails = {kind: regularizer.trail(first) for kind, regularizer in self.regularizers.items()}
        self.per_epoch = per_epoch
        self.epochs = standing.candidate.recipe.training.epochs
        self.cycle_ends = tuple(standing.schedule.cycle_ends(per_epoch * self.epochs))

    def follow(self, weights: Tensor, step: int) -> None:
        """Move the trails, or the weights [p], in place."""
        for kind, regularizer in self.regularizers.items():
            regularizer.follow(weights, self.trails[kind], self._moment(step))

    def shown(self, step: int) -> Tensor | None:
        """Return the trail [p] that the training has come to, or None where the weights are that."""
        shows = [kind for kind, r in self.regularizers.items() if r.shows_trail(self._moment(step))]
        return self.trails[shows[-1]] if shows else None

    def companions(self, step: int) -> Tensor | None:
        """Return the weights [c, p] that predict together with what is shown, or None."""
        for kind, regularizer in self.regularizers.items():
            found = regularizer.companions(self.trails[kind], self._moment(step))
            if found is not None and len(found):
                return found
        return None

    def _moment(self, step: int) -> Moment:
        return Moment(step, self.per_epoch, self.epochs, self.cycle_ends)
