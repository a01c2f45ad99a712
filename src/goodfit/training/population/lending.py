"""A module that computes with tensors lent to it."""

import copy
from collections.abc import Mapping

from torch import Tensor, nn


class Lent:
    """A copy of a module whose parameters and buffers are replaced for good, until others are lent.

    `torch.func.functional_call` does that for one call, and on small networks costs more than the call.

    Args:
        module: stays as it is.
    """

    def __init__(self, module: nn.Module) -> None:
        self.module = copy.deepcopy(module)
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
