"""Train one model: the function that the train stage calls. One is a population of one."""

from collections.abc import Callable
from pathlib import Path

from goodfit.training.machine import held_still
from goodfit.training.population.candidate import Candidate
from goodfit.training.population.group import Group
from goodfit.training.population.rows import RowStore
from goodfit.training.population.standing import Standing
from goodfit.training.progress import display
from goodfit.training.recipe import Epoch, Fitted, Recipe, TrainingData
from goodfit.training.sealed import resumable
from goodfit.training.start import identity, started


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
    standing = started(Candidate(0, recipe, seed, data))
    screen = display(recipe.training.epochs, progress)

    def report(epoch: Epoch) -> None:
        screen.show(epoch)
        if on_epoch is not None:
            on_epoch(epoch)

    try:
        with held_still(standing.device, recipe.training.threads):
            return _fitted(standing, state, report)
    finally:
        screen.close()


def _fitted(standing: Standing, state: Path | None, report: Callable[[Epoch], None]) -> Fitted:
    # Lightning takes seconds to import; a stage that only refuses its configuration need not wait for it.
    from goodfit.training.module import TrainingModule
    from goodfit.training.trainer import run

    group = Group([standing], *RowStore().prepared(standing))
    known = identity(standing)
    module = TrainingModule(group, state, known, report)
    run(module, standing.device, resumable(state, known) if state is not None else None)
    standing.end("COMPLETE", group.kept.of(0))
    return standing.fitted()
