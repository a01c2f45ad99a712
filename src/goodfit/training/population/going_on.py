"""Members that go on from a checkpoint: their population's own, or that of another which paused them."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from goodfit.errors import Fault, ServiceError
from goodfit.training.population.group import Group
from goodfit.training.population.keeper import checkpoint_in
from goodfit.training.population.rows import RowStore
from goodfit.training.population.standing import Standing


def stack_of(numbers: Collection[int], paused: Mapping[int, Standing], rows: RowStore) -> Group:
    """Return the stack of candidates that were paused in one, as it was before its first step.

    Raises:
        ValueError: some of them are not there.
    """
    if missing := sorted(set(numbers) - paused.keys()):
        raise ValueError(f"candidates {sorted(numbers)} were paused in one stack and go on together: {missing} lack")
    members = [paused[number] for number in sorted(numbers)]
    return Group(members, *rows.prepared(members[0]))


def checkpoint_of(folder: Path, paused: dict[int, str]) -> dict[str, Any]:
    """Return the last checkpoint of a population that paused these candidates, given their identities.

    Raises:
        ServiceError: there is none.
    """
    found = checkpoint_in(folder)
    known = {} if found is None else dict(found["identities"])
    if found is None or not paused.items() <= known.items():
        rule = f"holds no sound checkpoint of {sorted(paused)}, which were to go on from it"
        remedy = "The search cannot go on as it would have: delete its folder under .goodfit/state to start it anew."
        raise ServiceError([Fault(str(folder), rule, None, remedy)])
    return found


def restored(
    groups: Sequence[Group], done: Sequence[Standing], found: dict[str, Any]
) -> tuple[list[Group], list[Standing]]:
    """Return the stacks that still train and the members that have ended, as a checkpoint of them has it."""
    everyone = {standing.number: standing for group in groups for standing in group.standings}
    everyone |= {standing.number: standing for standing in done}
    homes = {standing.number: group for group in groups for standing in group.standings}
    ended = [everyone[value["number"]] for value in found["done"]]
    for standing, value in zip(ended, found["done"], strict=True):
        standing.restore(value)
    living = []
    for value in found["groups"]:
        group = homes[value["members"][0]["number"]]
        group.load_state_dict(value)
        living.append(group)
    return living, ended
