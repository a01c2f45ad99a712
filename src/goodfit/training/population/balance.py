"""Divide work among workers."""

from collections.abc import Sequence

WORTH_IT = 1.1
"""Work moves where the busiest worker has this many times what the best division would give it."""


def balanced(costs: Sequence[float], owners: Sequence[int | None], workers: int) -> list[list[int]]:
    """Return the pieces of each worker: as they are with their owners, or divided anew where that is worth it.

    Longest processing time first (Graham, SIAM Journal on Applied Mathematics 17, 1969): at most 4/3 of the optimum.

    Args:
        costs: of each piece.
        owners: who has each piece; None where nobody has.
        workers: how many there are.
    """
    anew = _longest_first(costs, workers)
    if all(owner is not None for owner in owners):
        present: list[list[int]] = [[] for _ in range(workers)]
        for piece, owner in enumerate(owners):
            present[owner or 0].append(piece)
        if _longest(costs, present) <= WORTH_IT * _longest(costs, anew):
            return present
    return anew


def _longest_first(costs: Sequence[float], workers: int) -> list[list[int]]:
    shares: list[list[int]] = [[] for _ in range(workers)]
    loads = [0.0] * workers
    for piece in sorted(range(len(costs)), key=lambda piece: -costs[piece]):
        idle = loads.index(min(loads))
        shares[idle].append(piece)
        loads[idle] += costs[piece]
    return shares


def _longest(costs: Sequence[float], shares: Sequence[Sequence[int]]) -> float:
    return max(sum(costs[piece] for piece in share) for share in shares)
