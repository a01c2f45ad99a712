"""The networks of each member that are kept, those of its best epoch."""

from collections.abc import Mapping, Sequence
from typing import Any

from goodfit.training.member import State
from goodfit.training.population.shown import Shown


class Kept:
    """What each of k members would come out with now: one network, or several that predict together.

    Args:
        wanted: of each member, whether anyone wants its networks; of one that nobody wants only their number is kept.
    """

    def __init__(self, wanted: Sequence[bool]) -> None:
        self.wanted = list(wanted)
        self.rows: list[list[State]] = [[] for _ in wanted]

    def remember(self, rows: Sequence[int], shown: Shown) -> None:
        """Keep what some of the members have come to."""
        for row in rows:
            self.rows[row] = shown.of(row) if self.wanted[row] else [{} for _ in range(shown.counts[row])]

    def of(self, row: int) -> list[State]:
        """Return the kept networks of a member, parameters and buffers by name, on the CPU."""
        return [{name: tensor.cpu() for name, tensor in state.items()} for state in self.rows[row]]

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with some of the members."""
        self.wanted = [self.wanted[row] for row in rows]
        self.rows = [self.rows[row] for row in rows]

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint holds of it."""
        return {"rows": self.rows}

    def load_state_dict(self, value: Mapping[str, Any]) -> None:
        """Go on from a checkpoint of the same members."""
        self.rows = [list(states) for states in value["rows"]]
