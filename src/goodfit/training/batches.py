"""In-memory batches: slices of a seeded permutation of tensors that already lie on the device."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from goodfit.training.seeds import derived

BLOCK = 64
"""Batches that are gathered at once: a few large copies instead of one per batch, and never the whole table."""


@dataclass(frozen=True)
class Batch:
    """Rows of a preprocessed table: numeric float32[n, d], categorical int64[n, c], target float32[n] or int64[n]."""

    numeric: Tensor
    categorical: Tensor
    target: Tensor

    def __len__(self) -> int:
        return len(self.target)

    def take(self, rows: Tensor) -> "Batch":
        """Return the rows with the given numbers, int64[m]."""
        return Batch(self.numeric[rows], self.categorical[rows], self.target[rows])

    def split(self, sizes: int | list[int]) -> Iterator["Batch"]:
        """Yield consecutive slices, as views."""
        columns = (torch.split(part, sizes) for part in (self.numeric, self.categorical, self.target))
        return (Batch(*part) for part in zip(*columns, strict=True))

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


def shuffled(data: Batch, batch_size: int, seed: int, epoch: int) -> Iterator[Batch]:
    """Yield the batches of one epoch in an order that only `seed` and `epoch` decide, resumed or not.

    Memory: the gathered copy of `BLOCK` batches.
    """
    generator = torch.Generator().manual_seed(derived(seed, "batches", epoch))
    order = torch.randperm(len(data), generator=generator).to(data.target.device)
    sizes = batch_sizes(len(data), batch_size)
    start = 0
    for first in range(0, len(sizes), BLOCK):
        block = sizes[first : first + BLOCK]
        rows = order[start : start + sum(block)]
        start += len(rows)
        yield from data.take(rows).split(block)
