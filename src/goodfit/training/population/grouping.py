"""Which candidates can be computed as one stack, and how large a stack may be."""

from collections.abc import Hashable, Sequence

from goodfit.models import MODELS
from goodfit.optimizers import OPTIMIZERS
from goodfit.regularizers import program
from goodfit.training.population.candidate import Candidate
from goodfit.training.population.standing import Standing

LARGEST = 1 << 18
"""Numbers in the widest layer of a stack over one batch, at most: 1 MiB, what a core's cache holds beside the rest.
Measured: stacks beyond it get slower per member, because every operation then waits for memory."""


def form(candidate: Candidate) -> Hashable:
    """Return what the members of one stack must share; every number besides may differ between them."""
    recipe = candidate.recipe
    kind = recipe.model.model_dump()["kind"]
    optimizer = OPTIMIZERS.build(recipe.training.optimizer)
    return (
        recipe.model.model_dump_json(),
        program(recipe.regularization),
        (recipe.task, recipe.classes),
        (recipe.training.batch_size, recipe.training.device, recipe.training.threads),
        (recipe.training.optimizer.model_dump()["kind"], optimizer.form),
        id(candidate.data),
        candidate.foreseen,
        None if MODELS[kind].facts["vectorizes"] else candidate.number,
    )


def grouped(standings: Sequence[Standing]) -> list[list[Standing]]:
    """Return the stacks to train, each in the order of its members' arrival."""
    forms: dict[Hashable, list[Standing]] = {}
    for standing in standings:
        forms.setdefault(form(standing.candidate), []).append(standing)
    return [part for members in forms.values() for part in _parts(members)]


def _parts(members: list[Standing]) -> list[list[Standing]]:
    most = max(LARGEST // (members[0].member.model.widest * members[0].candidate.batch_size), 1)
    parts = -(-len(members) // most)
    return [members[len(members) * part // parts : len(members) * (part + 1) // parts] for part in range(parts)]
