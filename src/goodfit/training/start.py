"""What every training begins with: checks, first weights, and what identifies it."""

import torch

from goodfit.bundle import assembled, tensor
from goodfit.errors import ConfigurationError, DataError, Fault
from goodfit.files import digest_of_value
from goodfit.models import MODELS
from goodfit.regularizers import Regularization, applicability_faults
from goodfit.schedules import SCHEDULES
from goodfit.tasks import task_named
from goodfit.training.machine import chosen_device, held_still, machine_facts
from goodfit.training.member import Member
from goodfit.training.population.candidate import Candidate
from goodfit.training.population.standing import Standing
from goodfit.training.recipe import Recipe
from goodfit.training.seeds import derived


def check_fit(recipe: Recipe, rows: int) -> None:
    """Refuse what can be seen to fail before a fit starts.

    Args:
        recipe: what shall be trained.
        rows: number of train rows.

    Raises:
        ConfigurationError: a batch larger than the train rows, or a regularizer that cannot act on this model or task.
        MachineError: the device that is named is not there.
    """
    model = recipe.model.model_dump()["kind"]
    hidden, widths = bool(MODELS[model].facts["hidden_layers"]), MODELS[model].cls.hidden_widths(recipe.model)
    cycles = bool(SCHEDULES.build(recipe.training.schedule).cycle_ends(1))
    faults = applicability_faults(recipe.regularization, model, recipe.task, hidden, widths, cycles)
    size = recipe.training.batch_size
    if size is not None and size > rows:
        rule = f"is larger than the {rows:,} train rows"
        faults.append(Fault("params.yaml: training.batch_size", rule, size, f"Set at most {rows}."))
    if faults:
        raise ConfigurationError(faults)
    chosen_device(recipe.training.device)


def started(candidate: Candidate) -> Standing:
    """Return a candidate before its first epoch, with the first weights that its seed decides.

    Raises:
        ConfigurationError, MachineError: see `check_fit`.
        DataError: there is no valid row.
    """
    recipe, data = candidate.recipe, candidate.data
    check_fit(recipe, len(data.train_target))
    if not len(data.valid_target):
        raise DataError([Fault("the valid split", "has no rows", None, "Raise split.valid.")])
    device, threads = chosen_device(recipe.training.device), recipe.training.threads
    with held_still(device, threads):
        member = _member(candidate)
    member.model.to(device)
    member.regularization.to(device)
    return Standing(candidate, member, device, machine_facts(device, threads))


def identity(standing: Standing) -> str:
    """Return the digest of everything that decides a result; epochs of a checkpoint of another are not taken up."""
    candidate = standing.candidate
    recipe, data = candidate.recipe, candidate.data
    sections = {name: getattr(recipe, name).model_dump() for name in ("model", "regularization", "training")}
    task = [recipe.task, recipe.classes, data.preprocessor.cardinalities]
    facts = [sections, task, candidate.seed, data.digest, dict(standing.machine)]
    facts += [] if candidate.until is None else [candidate.until]
    facts += ["foreseen"] if candidate.foreseen else []
    return digest_of_value(facts)


def _member(candidate: Candidate) -> Member:
    recipe = candidate.recipe
    torch.default_generator.manual_seed(derived(candidate.seed, "weights"))  # weights are drawn on the CPU
    task, regularization = task_named(recipe.task), Regularization(recipe.regularization)
    regularization.meet(tensor(candidate.data.train_target), recipe.classes)
    preprocessor = candidate.data.preprocessor
    model = assembled(recipe.model, regularization, preprocessor, task.outputs(recipe.classes))
    model.meet(candidate.data)
    return Member(model, task, regularization, recipe.classes, model.prepared_layout(preprocessor.layout))
