"""Put a network together: the same way for training and for what is loaded."""

import numpy as np
import torch
from torch import Tensor

from goodfit.models import MODELS, HiddenBlocks, Inputs, Model
from goodfit.preprocessing import Preprocessor
from goodfit.preprocessing.targets import Standardized
from goodfit.registry import Section
from goodfit.tasks import task_named


def assembled(options: Section, blocks: HiddenBlocks, preprocessor: Preprocessor, outputs: int) -> Model:
    """Return the network for preprocessed rows, with first weights from torch's random state.

    Args:
        options: of a registered model.
        blocks: what goes around hidden activations.
        preprocessor: says how many columns of which kind there are.
        outputs: logits per row.
    """
    measured = tuple(column for column, flag in enumerate(preprocessor.layout.measured) if flag)
    inputs = Inputs(len(preprocessor.numeric_names), tuple(preprocessor.cardinalities), measured)
    model = MODELS.build(options, inputs, outputs, blocks)
    classes = "binary" if outputs == 1 else "multiclass"
    task = "regression" if isinstance(preprocessor.target, Standardized) else classes
    model.pool_by(task_named(task).pooled)
    return model


def tensor(array: np.ndarray) -> Tensor:
    """Return an array as a tensor that shares its memory; a read-only one, which torch cannot share, is copied."""
    return torch.from_numpy(array if array.flags.writeable else array.copy())
