"""The rows of a population on their device, once for all stacks that can share them."""

from collections.abc import Hashable

from goodfit.bundle import tensor
from goodfit.training.batches import Batch
from goodfit.training.population.standing import Standing
from goodfit.training.recipe import TrainingData


class RowStore:
    """Prepared train and valid rows, by the data and by what the model's preparation does to them."""

    def __init__(self) -> None:
        self._known: dict[Hashable, tuple[TrainingData, Batch, Batch]] = {}  # whose id is a key must stay alive

    def prepared(self, standing: Standing) -> tuple[Batch, Batch]:
        """Return the train and the valid rows of a candidate."""
        candidate = standing.candidate
        device = standing.device
        key = (id(candidate.data), candidate.recipe.task, device, standing.member.model.preparation)
        if key not in self._known:
            parts = batches(candidate.data)
            train, valid = (standing.member.prepared(part.to(device)) for part in parts)
            self._known[key] = (candidate.data, train, valid)
        return self._known[key][1:]


def batches(data: TrainingData) -> tuple[Batch, Batch]:
    """Return the train and the valid rows as tensors that share their memory."""
    train = Batch(tensor(data.train.numeric), tensor(data.train.categorical), tensor(data.train_target))
    return train, Batch(tensor(data.valid.numeric), tensor(data.valid.categorical), tensor(data.valid_target))
