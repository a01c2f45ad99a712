"""What goes into a population and what comes out of it."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from goodfit.training.batches import batch_sizes, usual_batch
from goodfit.training.recipe import Fitted, Recipe, TrainingData


@dataclass(frozen=True)
class Candidate:
    """One member to train.

    Args:
        number: unique within a population.
        recipe: what is trained.
        seed: decides the first weights, the order of rows and the noise of regularizers, whoever trains beside it.
        data: preprocessed rows; several candidates may share one object.
        until: the epoch after which it ends, where that is not the recipe's last; schedules stay those of all epochs.
        begun: folder of the population that paused it, from whose last checkpoint it goes on; with whom it shared a
            stack there, it goes on together.
        foreseen: after each epoch, say also what the mean of its weights makes of it (`valid/foreseen` of `Epoch`), by
            which it is judged.
        keeps_weights: whether its model is wanted when it is done; a search wants figures only, and nothing is carried
            from process to process and to disk for it.
    """

    number: int
    recipe: Recipe
    seed: int
    data: TrainingData
    until: int | None = None
    begun: Path | None = None
    foreseen: bool = False
    keeps_weights: bool = True

    @property
    def epochs(self) -> int:
        """Return how many epochs it trains at most."""
        return self.until or self.recipe.training.epochs

    @property
    def batch_size(self) -> int:
        """Return the rows of a step."""
        return self.recipe.training.batch_size or usual_batch(len(self.data.train_target))

    @property
    def steps(self) -> int:
        """Return the number of optimizer steps in each epoch."""
        return len(batch_sizes(len(self.data.train_target), self.batch_size))


Judge: TypeAlias = Callable[[int, Mapping[int, float]], Collection[int]]
"""(epoch, number to valid loss after that epoch of every member that has just trained it) -> numbers that stop, pruned.

Of candidates that are foreseen it is the foreseen loss.

A pure function: a resumed population asks again. A member that ends in this epoch by itself is complete, not pruned.
Where members are at different epochs, since some had been paused, it is asked for each epoch, the latest first.
"""

Pause: TypeAlias = Callable[[Collection[int]], bool]
"""(numbers of the members that still train) -> whether the population ends here, and others go on with them."""


@dataclass(frozen=True)
class Finished:
    """What became of a candidate.

    Args:
        number: the candidate's.
        state: COMPLETE; PRUNED by the judge; PAUSED, to go on elsewhere; FAIL, it diverged or could not be built.
        fitted: the trained model; of a pruned one as far as it came; None when it failed or was paused, or keeps none.
        error: what went wrong.
        best_epoch: number of the epoch whose weights count; 0 when it failed or was paused.
        parameters: number of trainable numbers; 0 likewise.
    """

    number: int
    state: Literal["COMPLETE", "PRUNED", "FAIL", "PAUSED"]
    fitted: Fitted | None
    error: str = ""
    best_epoch: int = 0
    parameters: int = 0
