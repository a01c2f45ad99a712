"""One member of a population: its form, and its first numbers."""

from dataclasses import dataclass

from torch import Tensor

from goodfit.models import Model
from goodfit.preprocessing import Layout
from goodfit.regularizers import Regularization
from goodfit.tasks import Task
from goodfit.training.batches import Batch

State = dict[str, Tensor]
EVALUATION_ROWS = 2048
"""Rows per forward pass outside of training: few, so that what layers make of them stays in a core's cache; fixed,
because the grouping of rows may change the last bits."""
PREPARED_BYTES = 1 << 28
"""Up to this size, what depends on the rows alone (one-hot columns) is computed once and not in every step."""


@dataclass(frozen=True)
class Member:
    """A model, what it learns and how it is regularized; it holds no state of a training.

    Args:
        model: gives the form of the computation; its own numbers serve where it is called by itself.
        task: loss per row.
        regularization: targets and gradients as training sees them.
        classes: number of classes; 0 in regression.
        layout: which feature each column of prepared rows belongs to.
    """

    model: Model
    task: Task
    regularization: Regularization
    classes: int
    layout: Layout

    def prepared(self, data: Batch) -> Batch:
        """Return the rows with everything computed that depends on no parameter, where that fits into memory."""
        target = data.target.to(self.task.target_dtype)
        if len(data) * self.model.prepared_width * 4 > PREPARED_BYTES:
            return Batch(data.numeric, data.categorical, target)
        return Batch(*self.model.prepare(data.numeric, data.categorical), target)
