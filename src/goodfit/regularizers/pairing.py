"""Rows that are mixed with a partner from the same batch, and their targets with them."""

import math

import torch
from torch import Tensor
from torch.nn import functional

from goodfit.regularizers.noise import along, uniform
from goodfit.regularizers.rows import Rows


def partners(rows: Rows) -> Tensor:
    """Return the number of each row's partner, int64 [n] or [k, n]: a random order of the batch."""
    return uniform(by_row(rows)).argsort(dim=-1)


def of_partners(values: Tensor, order: Tensor) -> Tensor:
    """Return values [..., n, w] of the partners."""
    return values.gather(-2, order[..., None].expand(values.shape))


def mixed_targets(target: Tensor, order: Tensor, own: Tensor, classes: int) -> Tensor:
    """Return `own` [..., n] parts of each row's target and the rest of its partner's.

    Args:
        target: [..., n] classes or values, or [..., n, classes] probabilities.
        order: of the partners, [..., n].
        own: the part that a row keeps, from 0 to 1.
        classes: their number; 0 in regression, where targets are values and stay so.
    """
    if not classes:
        return own * target + (1 - own) * target.gather(-1, order)
    certain = functional.one_hot(target.long(), classes) if target.ndim == order.ndim else target
    mine = certain.to(own.dtype)
    return own[..., None] * mine + (1 - own[..., None]) * of_partners(mine, order)


def by_row(rows: Rows) -> Tensor:
    """Return an empty tensor [..., n], to ask for one random number per row."""
    return rows.numeric.new_empty(rows.numeric.shape[:-1])


def by_feature(rows: Rows) -> Tensor:
    """Return an empty tensor [..., n, features], to ask for one random number per row and feature."""
    return rows.numeric.new_empty((*rows.numeric.shape[:-1], rows.layout.features))


def symmetric_beta(alpha: Tensor, like: Tensor) -> Tensor:
    """Return float32 from Beta(alpha, alpha) in the shape of `like`, for alpha [] or, of a stack, [k].

    Without rejection, from two uniform numbers: by Bailey's "Polar Generation of Random Variates with the
    t-Distribution" (Mathematics of Computation 62, 1994), since Beta(a, a) is a function of Student's t with 2a degrees
    of freedom (Devroye, Non-Uniform Random Variate Generation, 1986, section IX.3).
    """
    radius = uniform(like).double() ** (1 / along(alpha, like))
    angle = torch.cos(2 * math.pi * uniform(like).double())
    reach = (1 - radius) * angle.square()
    return ((1 + angle.sign() * (reach / (radius + reach).clamp(min=1e-300)).sqrt()) / 2).float()
