"""On which train rows the training loss is watched."""

import torch
from torch import Tensor

from goodfit.training.seeds import derived


def watched_rows(rows: int, wanted: int, seed: int) -> Tensor:
    """Return numbers of at most `wanted` of the rows, drawn without replacement, in ascending order."""
    generator = torch.Generator().manual_seed(derived(seed, "watched"))
    return torch.randperm(rows, generator=generator)[:wanted].sort().values
