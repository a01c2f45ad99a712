"""A function that is written for one member, called for all."""

import operator
from collections.abc import Callable
from typing import Any

from torch import Tensor
from torch.func import vmap

from goodfit.training.noise import Numbers, tape


def each(function: Callable[..., Any], state: Any, rows: Any, numbers: Numbers, shared: bool = False) -> Any:
    """Call a function of one member for all members, over tensors [k, ...]; `shared` rows have no such dimension."""

    def drawing(state: Any, rows: Any, numbers: Numbers) -> Any:
        with tape(numbers):
            return function(state, rows)

    if _members(state) > 1:
        return vmap(drawing, in_dims=(0, None if shared else 0, 0))(state, rows, numbers)
    first = operator.itemgetter(0)
    result = drawing(_mapped(first, state), rows if shared else _mapped(first, rows), _mapped(first, numbers))
    return _mapped(lambda tensor: tensor[None], result)


def _members(state: Any) -> int:
    return len(state) if isinstance(state, Tensor) else _members(next(iter(_children(state))))


def _mapped(function: Callable[[Tensor], Tensor], value: Any) -> Any:
    if isinstance(value, Tensor):
        return function(value)
    if isinstance(value, dict):
        return {name: _mapped(function, part) for name, part in value.items()}
    return type(value)(_mapped(function, part) for part in value)


def _children(value: Any) -> Any:
    return value.values() if isinstance(value, dict) else value
