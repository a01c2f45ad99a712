"""The forward and backward pass of a network whose modules follow one after the other, without a graph.

For one small network torch's autograd costs several times what its arithmetic does: every operation makes a node, and
every gradient a tensor of its own. Here the layers that most networks are made of have their derivative written out,
and gradients go straight to where the optimizer reads them. Any other module has a graph of its own, as ever.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter

import torch
from torch import Tensor, nn
from torch.nn import functional

from goodfit.models import Model
from goodfit.models.layers import Linear, Residual
from goodfit.regularizers.dropout import DropoutLayer
from goodfit.training.member import State

aten = torch.ops.aten
SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805
"""Of "Self-Normalizing Neural Networks" (Klambauer et al., NeurIPS 2017, arXiv:1706.02515), as torch has them."""
Slope = Callable[[Tensor, Tensor, Tensor], Tensor]
"""(slopes in what was given, what was taken, what was given) -> slopes in what was taken."""
ACTIVATIONS: Mapping[type[nn.Module], Slope] = {
    nn.ReLU: lambda slopes, taken, given: aten.threshold_backward(slopes, given, 0),
    nn.SELU: lambda slopes, taken, given: aten.elu_backward(slopes, SELU_ALPHA, SELU_SCALE, 1, True, given),
    nn.GELU: lambda slopes, taken, given: aten.gelu_backward(slopes, taken),
    nn.SiLU: lambda slopes, taken, given: aten.silu_backward(slopes, taken),
    nn.Tanh: lambda slopes, taken, given: aten.tanh_backward(slopes, given),
}


class Chain:
    """Modules of one member, to be passed forward and then backward, again and again.

    Args:
        links: the modules, in order; each but the first takes what the one before it gives.
    """

    def __init__(self, links: Sequence["Link"]) -> None:
        self.links = links

    def forward(self, values: Sequence[Tensor]) -> Tensor:
        """Return what the last module gives in training, from what the first one takes."""
        first, *others = self.links
        passed = first.forward(*values)
        for link in others:
            passed = link.forward(passed)
        return passed

    def backward(self, slopes: Tensor) -> Tensor | None:
        """Write the gradients, from the slopes in what `forward` gave, which may be changed; return as a link does."""
        found: Tensor | None = slopes
        for link in reversed(self.links):
            if found is None:
                return None
            found = link.backward(found)
        return found


class Link(ABC):
    """A module in a chain.

    Args:
        module: what it computes.
        parts: where the gradient of each of its parameters is written, by its name in the module.
        deeper: whether anything before this module learns.
    """

    def __init__(self, module: nn.Module, parts: State, deeper: bool) -> None:
        self.module = module
        self.parts = parts
        self.deeper = deeper

    @abstractmethod
    def forward(self, *values: Tensor) -> Tensor:
        """Return what the module gives, and keep what `backward` needs; no graph is made."""

    @abstractmethod
    def backward(self, slopes: Tensor) -> Tensor | None:
        """Write the gradients of the parameters, from the slopes in what was given, which it may change.

        Returns:
            The slopes in what `forward` took, or None where nothing before this module learns.
        """


class _Linear(Link):
    module: Linear

    def forward(self, *values: Tensor) -> Tensor:
        (self.taken,) = values
        return functional.linear(self.taken, self.module.weight, self.module.bias)

    def backward(self, slopes: Tensor) -> Tensor | None:
        torch.mm(slopes.t(), self.taken, out=self.parts["weight"])
        if "bias" in self.parts:
            torch.sum(slopes, 0, out=self.parts["bias"])
        del self.taken
        return torch.mm(slopes, self.module.weight) if self.deeper else None


class _ReLU(Link):
    """ReLU after a linear map, which has no use for what it gave, so that it is changed in place."""

    def forward(self, *values: Tensor) -> Tensor:
        (taken,) = values
        self.given: Tensor = torch.relu_(taken)
        return self.given

    def backward(self, slopes: Tensor) -> Tensor:
        found: Tensor = aten.threshold_backward.grad_input(slopes, self.given, 0, grad_input=slopes)
        del self.given
        return found


class _ReLUDropout(_ReLU):
    """The same with a dropout behind it: what comes out is above 0 exactly where both let through."""

    def __init__(self, module: nn.Module, parts: State, deeper: bool, dropout: DropoutLayer) -> None:
        super().__init__(module, parts, deeper)
        self.dropout = dropout

    def forward(self, *values: Tensor) -> Tensor:
        given = super().forward(*values)
        factors, self.scale = self.dropout.drawn(given)
        return given.mul_(factors)

    def backward(self, slopes: Tensor) -> Tensor:
        return super().backward(slopes).mul_(self.scale)


class _Activation(Link):
    def forward(self, *values: Tensor) -> Tensor:
        (self.taken,) = values
        given: Tensor = self.module(self.taken)
        self.given = given
        return given

    def backward(self, slopes: Tensor) -> Tensor | None:
        found: Tensor = ACTIVATIONS[type(self.module)](slopes, self.taken, self.given)
        del self.taken, self.given
        return found


class _Dropout(Link):
    module: DropoutLayer

    def forward(self, *values: Tensor) -> Tensor:
        (taken,) = values
        self.factors = self.module.factors(taken)
        return taken * self.factors

    def backward(self, slopes: Tensor) -> Tensor | None:
        slopes.mul_(self.factors)
        del self.factors
        return slopes


class _Residual(Link):
    """A path around modules that have their own links."""

    def __init__(self, branch: "Chain") -> None:
        self.branch = branch

    def forward(self, *values: Tensor) -> Tensor:
        (taken,) = values
        return taken + self.branch.forward(values)

    def backward(self, slopes: Tensor) -> Tensor | None:
        found = self.branch.backward(slopes.clone())
        return slopes if found is None else found.add_(slopes)


class _Recorded(Link):
    """A module whose derivative is not written out: it records a graph of its own."""

    def forward(self, *values: Tensor) -> Tensor:
        with torch.enable_grad():
            self.taken = [value.detach().requires_grad_() for value in values] if self.deeper else []
            self.given: Tensor = self.module(*(self.taken or values))
            found: Tensor = self.given.detach()
        return found

    def backward(self, slopes: Tensor) -> Tensor | None:
        weights = [attrgetter(name)(self.module) for name in self.parts]
        found = torch.autograd.grad(self.given, [*weights, *self.taken], slopes)
        for part, gradient in zip(self.parts.values(), found, strict=False):
            part.copy_(gradient)
        del self.given, self.taken
        last: Tensor = found[-1]
        return last.contiguous() if self.deeper else None  # of its own memory, so that it may be changed


class _Fixed(Link):
    """A module that learns nothing, before all that do."""

    def forward(self, *values: Tensor) -> Tensor:
        found: Tensor = self.module(*values)
        return found

    def backward(self, slopes: Tensor) -> Tensor | None:
        return None


KNOWN: Mapping[type[nn.Module], type[Link]] = {
    Linear: _Linear,
    DropoutLayer: _Dropout,
    **dict.fromkeys(ACTIVATIONS, _Activation),
}


@dataclass(frozen=True)
class Descent:
    """A whole network as a chain.

    Args:
        chain: of its modules.
        gradients: [p], where they write.
    """

    chain: Chain
    gradients: Tensor


def descent_of(model: Model, weights: State) -> Descent | None:
    """Return the chain of a model on the CPU, or None where its modules do not simply follow one after the other.

    Args:
        model: computes with `weights`.
        weights: parameters by name, in the order in which their gradients are to lie.
    """
    modules = model.in_sequence()
    names = {module: name for name, module in model.named_modules()}
    own = [name for module in modules for name in _within(names[module], weights)]
    if sorted(own) != sorted(weights):
        return None
    sizes = [weight.numel() for weight in weights.values()]
    gradients = torch.zeros(sum(sizes))
    stretches = zip(weights.items(), torch.split(gradients, sizes), strict=True)
    parts = {name: part.view_as(weight) for (name, weight), part in stretches}
    return Descent(_chain(modules, names, parts, deeper=False), gradients)


def _chain(modules: Sequence[nn.Module], names: Mapping[nn.Module, str], parts: State, deeper: bool) -> Chain:
    links: list[Link] = []
    for module in _flat(modules):
        found = _within(names[module], parts)
        own = {name.removeprefix(f"{names[module]}."): parts[name] for name in found}
        if type(module) is Residual and deeper:
            links.append(_Residual(_chain([module.branch], names, parts, deeper)))
        else:
            _append(links, module, own, deeper)
        deeper = deeper or bool(own)
    return Chain(links)


def _append(links: list[Link], module: nn.Module, parts: State, deeper: bool) -> None:
    """Append the link of a module, or let the last one do its work as well."""
    last = links[-1] if links else None
    if not parts and not deeper:
        links.append(_Fixed(module, parts, deeper))
    elif type(module) is nn.ReLU and isinstance(last, _Linear):
        links.append(_ReLU(module, parts, deeper))
    elif type(module) is DropoutLayer and type(last) is _ReLU:
        links[-1] = _ReLUDropout(last.module, parts, deeper, module)
    else:
        links.append(KNOWN.get(type(module), _Recorded)(module, parts, deeper))


def _within(name: str, parts: State) -> list[str]:
    return [part for part in parts if part.startswith(f"{name}.")]


def _flat(modules: Sequence[nn.Module]) -> Iterator[nn.Module]:
    for module in modules:
        if type(module) is nn.Sequential:
            yield from _flat(list(module))
        else:
            yield module
