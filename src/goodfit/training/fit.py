"""Train one model: the function that the train stage and every trial of a search call."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch

from goodfit.bundle import assembled, tensor
from goodfit.errors import ConfigurationError, DataError, Fault
from goodfit.files import digest_of_value
from goodfit.models import MODELS, Model
from goodfit.preprocessing import Arrays
from goodfit.regularizers import Regularization, applicability_faults
from goodfit.tasks import task_named
from goodfit.training.batches import Batch
from goodfit.training.history import History
from goodfit.training.machine import chosen_device, held_still, machine_facts
from goodfit.training.member import Member
from goodfit.training.progress import display
from goodfit.training.recipe import Epoch, Fitted, Recipe, TrainingData
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
    hidden = bool(MODELS[model].facts["hidden_layers"])
    faults = applicability_faults(recipe.regularization, model, recipe.task, hidden)
    size = recipe.training.batch_size
    if size > rows:
        rule = f"is larger than the {rows:,} train rows"
        faults.append(Fault("params.yaml: training.batch_size", rule, size, f"Set at most {rows}."))
    if faults:
        raise ConfigurationError(faults)
    chosen_device(recipe.training.device)


def fit(
    recipe: Recipe,
    data: TrainingData,
    *,
    seed: int,
    state: Path | None,
    on_epoch: Callable[[Epoch], None] | None = None,
    progress: bool = True,
) -> Fitted:
    """Train one model, or go on with a training that a crash ended; both end in the same bits on one machine.

    Args:
        recipe: model, regularizers, optimizer and the rest.
        data: preprocessed train and valid rows.
        seed: decides the first weights, the order of rows and the noise of regularizers.
        state: folder for checkpoints, or None to train without; it must belong to this fit alone.
        on_epoch: called after each epoch, once the epoch is in a checkpoint; on resume, first for each epoch of the
            checkpoint (`Epoch.restored`). What it raises ends the fit and comes out unchanged.
        progress: whether to show a progress bar.

    Raises:
        ConfigurationError: see `check_fit`.
        DivergedError: the loss became NaN or infinite.
        DataError: there is no valid row.
        MachineError: the device that is named is not there.
        ServiceError: a checkpoint cannot be written.
    """
    check_fit(recipe, len(data.train_target))
    if not len(data.valid_target):
        raise DataError([Fault("the valid split", "has no rows", None, "Raise split.valid.")])
    device = chosen_device(recipe.training.device)
    screen = display(recipe.training.epochs, progress)

    def report(epoch: Epoch) -> None:
        screen.show(epoch)
        if on_epoch is not None:
            on_epoch(epoch)

    try:
        with held_still(device, recipe.training.threads):
            return _fitted(recipe, data, seed, state, device, report)
    finally:
        screen.close()


def _fitted(
    recipe: Recipe,
    data: TrainingData,
    seed: int,
    state: Path | None,
    device: torch.device,
    report: Callable[[Epoch], None],
) -> Fitted:
    # Lightning takes seconds to import; a stage that only refuses its configuration need not wait for it.
    from goodfit.training.checkpoints import resumable
    from goodfit.training.module import Rows, TrainingModule
    from goodfit.training.trainer import run

    machine = machine_facts(device, recipe.training.threads)
    identity = _identity(recipe, data, seed, machine)
    member = _member(recipe, data, seed)
    rows = Rows(_batch(data.train, data.train_target), _batch(data.valid, data.valid_target), seed)
    module = TrainingModule(member, recipe.training, rows, seed, state, identity, report)
    run(module, device, resumable(state, identity) if state is not None else None)
    return _result(member.model, module.history, machine)


def _member(recipe: Recipe, data: TrainingData, seed: int) -> Member:
    torch.manual_seed(derived(seed, "weights"))
    task, regularization = task_named(recipe.task), Regularization(recipe.regularization)
    outputs = task.outputs(recipe.classes)
    return Member(
        assembled(recipe.model, regularization, data.preprocessor, outputs), task, regularization, recipe.classes
    )


def _result(model: Model, history: History, machine: Mapping[str, str | int]) -> Fitted:
    model.load_state_dict(history.kept_state)
    model.zero_grad()
    return Fitted(
        model=model.cpu().eval(),
        epochs=history.epochs,
        best_epoch=history.kept + 1,
        valid_loss=history.losses[history.kept],
        seconds=history.seconds,
        cpu_seconds=history.cpu_seconds,
        parameters=sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad),
        machine=machine,
    )


def _batch(part: Arrays, target: np.ndarray) -> Batch:
    return Batch(tensor(part.numeric), tensor(part.categorical), tensor(target))


def _identity(recipe: Recipe, data: TrainingData, seed: int, machine: Mapping[str, str | int]) -> str:
    """Return the digest of everything that decides the result; `epochs` of a checkpoint of another are not taken up."""
    sections = {name: getattr(recipe, name).model_dump() for name in ("model", "regularization", "training")}
    task = [recipe.task, recipe.classes, data.preprocessor.cardinalities]
    return digest_of_value([sections, task, seed, data.digest, dict(machine)])
