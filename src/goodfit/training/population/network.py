"""The model of all members: one forward pass, over numbers that are lent to it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from torch import Tensor, nn
from torch.func import functional_call

from goodfit.models import Model
from goodfit.models.activations import ELEMENTWISE
from goodfit.training.batches import Batch
from goodfit.training.member import State
from goodfit.training.noise import Drawn, sourced
from goodfit.training.population.chain import Descent, descent_of
from goodfit.training.population.each import each
from goodfit.training.population.lending import Lent


class Network:
    """The forward pass that k members share.

    Args:
        model: of any member, for its form.
    """

    def __init__(self, model: Model) -> None:
        self.stacks = all(_stacks(module) for module in model.modules())
        self.parameters: State = {}
        self.buffers: State = {}
        self._weights: State = {}
        self._statistics: State = {}
        self._alone = False
        self._descent: Descent | None = None
        self._lent = Lent(model)

    def lend(self, parameters: State, buffers: State) -> None:
        """Compute with these [k, ...] from now on, by name; running statistics in `buffers` move along."""
        self._alone = self.stacks and len(next(iter(parameters.values()))) == 1
        self._compute_with(parameters, buffers, self._own(parameters), self._own(buffers))
        on_cpu = all(tensor.device.type == "cpu" for tensor in parameters.values())
        model = self._lent.module
        assert isinstance(model, Model)
        self._descent = descent_of(model, self._weights) if self._alone and on_cpu else None

    @property
    def descent(self) -> Descent | None:
        """Return its passes without a graph, where it has some: of a stack of one."""
        return self._descent

    @contextmanager
    def aside(self, parameters: State | None = None, buffers: State | None = None) -> Iterator[None]:
        """Compute for a while with other numbers, where none are given on a copy of the buffers, and forget them."""
        before = self.parameters, self.buffers, self._weights, self._statistics
        copies = {name: buffer.clone() for name, buffer in self.buffers.items()} if buffers is None else buffers
        weights = self._weights if parameters is None else self._own(parameters)
        self._compute_with(self.parameters if parameters is None else parameters, copies, weights, self._own(copies))
        try:
            yield
        finally:
            self._compute_with(*before)

    @property
    def leaves(self) -> list[Tensor]:
        """Return what gradients are taken of: the parameters, [k, ...] each, or [...] of a stack of one."""
        return list(self._weights.values())

    def stacked(self, tensors: Sequence[Tensor]) -> Sequence[Tensor]:
        """Return the leaves, or their gradients, as [k, ...] each."""
        return [tensor[None] for tensor in tensors] if self._alone else tensors

    def _own(self, tensors: State) -> State:
        return _alone(tensors) if self._alone else tensors

    def _compute_with(self, parameters: State, buffers: State, weights: State, statistics: State) -> None:
        self.parameters, self.buffers, self._weights, self._statistics = parameters, buffers, weights, statistics
        if self.stacks:
            self._lent.lend(weights | statistics)

    @contextmanager
    def judged(self) -> Iterator[None]:
        """Compute for a while as in prediction."""
        self._lent.module.eval()
        try:
            yield
        finally:
            self._lent.module.train()

    def modules(self) -> Iterator[nn.Module]:
        """Return every module of the model that computes."""
        return self._lent.module.modules()

    def __call__(self, batch: Batch, numbers: Drawn) -> Tensor:
        """Return logits [k, n, outputs], from rows [k, n, ...], or [n, ...] where all members see the same."""
        rows = (batch.numeric, batch.categorical)
        with sourced(numbers) as drawn:
            if self._alone:
                return self._lent.module(*of_one(batch))[None]  # type: ignore[no-any-return]
            if self.stacks:
                return self._lent.module(*rows)  # type: ignore[no-any-return]
            model, shared = self._lent.module, batch.target.ndim == 1

            def one(state: tuple[State, State], rows: tuple[Tensor, Tensor]) -> Tensor:
                return functional_call(model, state, rows)  # type: ignore[no-any-return]

            logits: Tensor = each(one, (self.parameters, self.buffers), rows, drawn, shared=shared)
            return logits


def of_one(batch: Batch) -> tuple[Tensor, Tensor]:
    """Return the rows [n, ...] of a stack of one."""
    if batch.target.ndim == 1:
        return batch.numeric, batch.categorical
    return batch.numeric.squeeze(0), batch.categorical.squeeze(0)


def _stacks(module: nn.Module) -> bool:
    return bool(getattr(module, "stacks", False)) or isinstance(module, (nn.Sequential, *ELEMENTWISE))


def _alone(tensors: State) -> State:
    """Return the numbers of a stack of one as those of a member, which torch computes with by its kernels for matrices.

    As leaves of their own: through a view of [1, ...] gradients would take a detour, and a stack's are transposed.
    """
    found = {name: tensor.detach().squeeze(0) for name, tensor in tensors.items()}
    return {name: tensor.requires_grad_(tensors[name].requires_grad) for name, tensor in found.items()}
