"""A batch of training rows, as a regularizer may change it."""

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from goodfit.preprocessing import Layout


@dataclass(frozen=True)
class Rows:
    """Prepared rows: what a model takes, with its one-hot columns written out.

    Args:
        numeric: float32 [n, d]: scaled numbers, flags, one-hot levels; of a stack [k, n, d].
        categorical: int64 [n, c]: codes that the model embeds; of a stack [k, n, c].
        layout: which feature each column of both belongs to; the columns of one feature go together.
    """

    numeric: Tensor
    categorical: Tensor
    layout: Layout

    def numeric_of(self, by_feature: Tensor) -> Tensor:
        """Return [..., d] for the numeric columns from [..., features]: each column has what its feature has."""
        return by_feature[..., _index(self.layout.numeric, self.numeric.device)]

    def categorical_of(self, by_feature: Tensor) -> Tensor:
        """Return [..., c] for the columns of codes from [..., features]."""
        return by_feature[..., _index(self.layout.categorical, self.numeric.device)]

    def measured(self) -> Tensor:
        """Return bool [d]: which numeric columns are scaled numbers, in standard deviations."""
        return _index(self.layout.measured, self.numeric.device) > 0


@lru_cache(maxsize=64)
def _index(values: tuple[int, ...], device: torch.device) -> Tensor:
    return torch.tensor(values, dtype=torch.int64, device=device)
