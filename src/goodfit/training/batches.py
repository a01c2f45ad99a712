"""In-memory batches: slices of a seeded permutation of tensors that already lie on the device."""

from dataclasses import dataclass

import torch
from torch import Tensor

from goodfit.training.seeds import derived


@dataclass(frozen=True)
class Batch:
    """Rows of a preprocessed table: numeric float32[n, d], categorical int64[n, c], target float32[n] or int64[n]."""

    numeric: Tensor
    categorical: Tensor
    target: Tensor

    def __len__(self) -> int:
        return len(self.target)

    def take_each(self, rows: Tensor) -> "Batch":
        """Return the rows of k members, [k, m, ...], from their numbers int64[k, m]."""
        flat = rows.reshape(-1)
        columns = (self.numeric, self.categorical, self.target)
        return Batch(*(part.index_select(0, flat).view(*rows.shape, *part.shape[1:]) for part in columns))

    def to(self, device: torch.device) -> "Batch":
        """Return the rows on a device; on the same device nothing is copied."""
        return Batch(self.numeric.to(device), self.categorical.to(device), self.target.to(device))


def batch_sizes(rows: int, batch_size: int) -> list[int]:
    """Return the sizes of an epoch's batches; every row is used once.

    A single row left over joins the last batch, because batch normalization has no variance over one row.
    """
    full, rest = divmod(rows, batch_size)
    sizes = [batch_size] * full
    if rest == 1 and full:
        sizes[-1] += 1
    elif rest:
        sizes.append(rest)
    return sizes


def order(rows: int, seed: int, epoch: int) -> Tensor:
    """Return the numbers of all rows in an order that only `seed` and `epoch` decide."""
    return torch.randperm(rows, generator=torch.Generator().manual_seed(derived(seed, "batches", epoch)))
