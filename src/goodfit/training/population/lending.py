"""A module that computes with tensors lent to it."""

import copy
from collections.abc import Mapping

from torch import Tensor, nn


class Lent:
    """A copy of a module whose parameters and buffers are replaced for good, until others are lent.

    `torch.func.functional_call` does that for one call, and on small networks costs more than the call.

    Args:
        module: stays as it is; its numbers are shared until others are lent.
    """

    def __init__(self, module: nn.Module) -> None:
        self.module = _twin(module, {})
        owners = dict(self.module.named_modules())
        self._slots: dict[str, tuple[dict[str, Tensor | None], str]] = {}
        for kind in ("_parameters", "_buffers"):
            for path, owner in owners.items():
                own: dict[str, Tensor | None] = getattr(owner, kind)
                self._slots |= {f"{path}.{name}".removeprefix("."): (own, name) for name in own}

    def lend(self, tensors: Mapping[str, Tensor]) -> None:
        """Let the module compute with these, by name; others stay."""
        for name, tensor in tensors.items():
            owner, key = self._slots[name]
            owner[key] = tensor


def _twin(module: nn.Module, known: dict[int, nn.Module]) -> nn.Module:
    """Return a module of the same modules, parameters and buffers, in which each can be replaced.

    `copy.deepcopy` would also copy the numbers, which are replaced at once, and costs more than a step.
    """
    if id(module) in known:
        return known[id(module)]
    twin = known[id(module)] = copy.copy(module)
    for slots in ("_parameters", "_buffers", "_non_persistent_buffers_set"):
        twin.__dict__[slots] = copy.copy(twin.__dict__[slots])
    children = module.__dict__["_modules"].items()
    twin.__dict__["_modules"] = {name: None if child is None else _twin(child, known) for name, child in children}
    return twin
