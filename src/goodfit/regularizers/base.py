"""The contract of a regularizer: hooks that do nothing unless a member overrides them."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from goodfit.errors import Fault
from goodfit.registry import Registry
from goodfit.regularizers.moment import Moment
from goodfit.regularizers.rows import Rows


class Regularizer(nn.Module):
    """One way to keep a model from fitting noise.

    A regularizer is built from its options alone and is off by its defaults: with zero strength it is not `active`,
    none of its hooks is called, and the training is bit-equal to one without it. Strengths are buffers (float64,
    without dimensions, not in the state dict) and randomness comes from `goodfit.regularizers.noise`, so that many
    members with different strengths train as one program. Facts that a registration states: `tasks` it applies to,
    `needs_hidden_layers`, and its `source`.

    Class attributes: `varies`, the options that may differ between the members of one program, because the hooks read
    them from buffers (all others must be equal); `beside`, True where no hook runs in the program at all, only beside
    it, member by member; `recentres`, True where what stands before an activation takes any constant away, so that a
    bias there would be idle; `stacks`, True where the hooks of `PURE` also take [k, ...] of k members, with strengths
    [k]. A module [n, width] -> [n, width] with `stacks = True` also takes [k, n, width], with its buffers and
    parameters [k, ...]. What does not stack is run under `torch.func.vmap`, which costs more. A module whose persistent
    buffers move with a training says by `settles` after how many batches they fit other weights. `shortcut`, True where
    hidden layers get a path around them; `parent`, the regularizer without which this one has nothing to act on;
    `one_of`, the name of a group of which at most one can be active; `moves_weights`, True where `follow` changes the
    weights: such ones come before those that only watch; `needs_cycles`, True where only a schedule with cycles gives
    it anything to do.

    A step calls its hooks in this order: `batch`, the modules in the model, `targets`, `row_losses`, with `attack` the
    last three again, `attacked`, `penalty`, with `perturbation` all of these again, `gradients`, `constrained`,
    `follow`. Only those up to `row_losses`, and `gradients`, may draw random numbers; what comes again draws the same.
    """

    stacks: ClassVar[bool] = False
    varies: ClassVar[tuple[str, ...]] = ()
    beside: ClassVar[bool] = False
    recentres: ClassVar[bool] = False
    shortcut: ClassVar[bool] = False
    parent: ClassVar[str] = ""
    one_of: ClassVar[str] = ""
    moves_weights: ClassVar[bool] = False
    needs_cycles: ClassVar[bool] = False

    @property
    def active(self) -> bool:
        """Return whether the options ask for any effect."""
        raise NotImplementedError

    @classmethod
    def program(cls, options: Mapping[str, Any]) -> Hashable:
        """Return what the members of one program must share of these options; of what varies, whether it is zero."""
        if cls.beside:
            return ()
        return tuple((name, bool(value) if name in cls.varies else value) for name, value in options.items())

    def meet(self, target: Tensor, classes: int) -> None:
        """See the targets [n] of all train rows, once before the training; `classes` is 0 in regression."""

    def before_activation(self, index: int, count: int, width: int) -> list[nn.Module]:
        """Return modules [n, width] -> [n, width] before the activation of hidden layer `index` (from 0) of `count`."""
        return []

    def after_activation(self, index: int, count: int, width: int) -> list[nn.Module]:
        """Return modules [n, width] -> [n, width] after the activation of hidden layer `index` (from 0) of `count`."""
        return []

    def linear_map(self, linear: nn.Module) -> nn.Module:
        """Return what stands for a hidden layer's linear map [n, before] -> [n, width], which has a `weight`."""
        return linear

    def branch(self, index: int, count: int, layer: Callable[[], list[nn.Module]]) -> list[nn.Module]:
        """Return modules [n, width] -> [n, width] for hidden layer `index` of `count`, which has a path around it.

        Each call of `layer` makes the modules of the layer anew, with weights of their own.
        """
        return layer()

    def width_faults(self, widths: Sequence[int]) -> list[Fault]:
        """Return what is wrong with the options for hidden layers of these widths; places are names of options."""
        return []

    def batch(self, rows: Rows, target: Tensor, classes: int) -> tuple[Rows, Tensor]:
        """Return the rows to train on and their targets; neither the given rows nor the targets are changed. Pure.

        Args:
            rows: prepared: all columns of one feature together are what a raw column became (`Rows.layout`).
            target: [n] classes or values, or [n, classes] probabilities where another regularizer has mixed them; of a
                stack with a dimension more, as `rows.numeric` has: equal dimensions are probabilities.
            classes: their number; 0 in regression.
        """
        return rows, target

    def targets(self, target: Tensor, classes: int) -> Tensor:
        """Return training targets: [n] classes or values, or [n, classes] probabilities, in and out. Pure."""
        return target

    def row_losses(self, losses: Tensor, logits: Tensor, target: Tensor, classes: int) -> Tensor:
        """Return the losses [n] whose mean is minimized, from those of the task. Pure.

        Args:
            losses: [n], see `Task.row_losses`.
            logits: [n, outputs].
            target: [n] classes or values, or [n, classes] probabilities, after `targets`.
            classes: their number; 0 in regression.
        """
        return losses

    def attack(self, rows: Rows, gradient: Tensor) -> Rows:
        """Return the rows as an adversary moves them, `gradient` [n, d] of each row's loss by `rows.numeric`. Pure."""
        return rows

    def attacked(self, losses: Tensor, attacked: Tensor) -> Tensor:
        """Return the losses [n] whose mean is minimized, from those of the rows and of the attacked rows. Pure."""
        return losses

    def penalty(self, weights: Sequence[Tensor]) -> Tensor:
        """Return what is added to the objective, without dimensions, for these parameters of the model. Pure."""
        return torch.zeros((), dtype=torch.float64)

    def decay(self, name: str, parameter: nn.Parameter) -> float:
        """Return the decay of one parameter per unit of learning rate; `name` is its name in the model."""
        return 0.0

    def decay_left(self, share: Tensor) -> Tensor:
        """Return the factors on `decay` when the given shares of the training are over."""
        return torch.ones_like(share)

    def perturbation(self, gradients: Sequence[Tensor]) -> Sequence[Tensor]:
        """Return how far from the weights the gradient is taken, from the gradient at the weights. Pure."""
        return [torch.zeros_like(gradient) for gradient in gradients]

    def gradients(self, gradients: Sequence[Tensor]) -> Sequence[Tensor]:
        """Return the gradients to step along, in the same order. Pure."""
        return gradients

    def constrained(self, weights: Sequence[Tensor]) -> Sequence[Tensor]:
        """Return what the weights become after a step, in the same order. Pure."""
        return weights

    def follow(self, weights: Tensor, trail: Tensor, moment: Moment) -> None:
        """Move the trail, or the weights, of one member after a step, in place.

        A regularizer that overrides this keeps further weights, its trail.

        Args:
            weights: [p], all parameters of the model behind each other.
            trail: see there.
            moment: the step that was taken.
        """

    def trail(self, weights: Tensor) -> Tensor:
        """Return the trail before the first step, for the first weights [p]: a copy of them."""
        return weights.clone()

    def companions(self, trail: Tensor, moment: Moment) -> Tensor | None:
        """Return weights [c, p] of networks that predict together with what this training has come to."""
        return None

    def shows_trail(self, moment: Moment) -> bool:
        """Return whether the trail, not the weights, is what this training has come to."""
        return False

    def should_stop(self, losses: Sequence[float]) -> bool:
        """Return whether training ends now, from the validation loss after each epoch so far."""
        return False

    def kept_epoch(self, losses: Sequence[float]) -> int:
        """Return the index of the epoch whose weights are kept, from the validation losses so far: the last one."""
        return len(losses) - 1

    def register_strength(self, name: str, value: float) -> None:
        """Keep an option as a tensor, so that it can differ between the members of a population."""
        self.register_buffer(name, torch.tensor(value, dtype=torch.float64), persistent=False)


PURE = (
    "batch", "targets", "row_losses", "attack", "attacked", "penalty", "perturbation", "gradients", "constrained",
)  # fmt: skip
"""The hooks that compute on tensors of all members at once."""
REGULARIZERS: Registry[Regularizer] = Registry("regularizer")
