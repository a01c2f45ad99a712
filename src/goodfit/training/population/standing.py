"""Where one member stands: what it is, and its epochs so far."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import torch

from goodfit.bundle import Ensemble
from goodfit.models import Model
from goodfit.schedules import SCHEDULES, Schedule
from goodfit.training.divergence import DivergedError
from goodfit.training.history import History
from goodfit.training.member import Member, State
from goodfit.training.population.candidate import Candidate, Finished
from goodfit.training.recipe import Epoch, Fitted


@dataclass
class Standing:
    """A candidate in training, or after it.

    Args:
        candidate: what was asked for.
        member: its model, task and regularizers.
        device: where it trains.
        machine: see `Fitted`.
        history: its epochs; the kept weights come in when it is done.
        failure, error: what ended it, if it failed; as text after a crash.
        state: COMPLETE, PRUNED or FAIL; empty while it trains.
    """

    candidate: Candidate
    member: Member
    device: torch.device
    machine: Mapping[str, str | int]
    history: History = field(default_factory=History)
    failure: DivergedError | None = None
    error: str = ""
    state: str = ""

    @property
    def number(self) -> int:
        """The candidate's."""
        return self.candidate.number

    @cached_property
    def schedule(self) -> Schedule:
        """How its learning rate moves."""
        return SCHEDULES.build(self.candidate.recipe.training.schedule)

    def rates(self, base: float, epoch: int, steps: int) -> list[float]:
        """Return the learning rate of each step of an epoch."""
        first, total = steps * (epoch - 1), steps * self.candidate.recipe.training.epochs
        return [base * self.schedule.multiplier(step, total) for step in range(first, first + steps)]

    def decays_left(self, epoch: int, steps: int) -> list[float]:
        """Return what is left of the decay in each step of an epoch, as a share."""
        done = torch.arange(steps * (epoch - 1), steps * epoch, dtype=torch.float64)
        return self.member.regularization.decays_left(done / (steps * self.candidate.recipe.training.epochs))

    def add(self, metrics: Mapping[str, float], seconds: float, cpu_seconds: float) -> bool:
        """Add an epoch; return whether its weights are those to keep now. A loss that is no number ends it."""
        number = len(self.history.epochs) + 1
        for name, value in metrics.items():
            if value - value != 0:
                self.failure = DivergedError(number, name, value)
                self.error, self.state = str(self.failure), "FAIL"
                return False
        kept = self.member.regularization.kept_epoch([*self.history.losses, metrics["valid/loss"]])
        self.history.add(Epoch(number, metrics, seconds), kept)
        self.history.cpu_seconds += cpu_seconds
        return kept == number - 1

    def ends(self) -> bool:
        """Return whether it ends by itself: all epochs done, or stopped early."""
        losses = self.history.losses
        full = len(losses) >= self.candidate.epochs
        return full or self.member.regularization.should_stop(losses)

    def end(self, state: str, kept: Sequence[State]) -> None:
        """Take what is kept of it out of the stack: the numbers of its network, or of several that predict together."""
        self.state = state
        self.history.kept_states = [
            {name: found[name] for name in self.member.model.state_dict() if name in found} for found in kept
        ]

    def finished(self) -> Finished:
        """Return what became of it."""
        if self.state == "FAIL":
            return Finished(self.number, "FAIL", None, self.error)
        fitted = self.fitted() if self.candidate.keeps_weights else None
        state: Literal["PRUNED", "COMPLETE"] = "PRUNED" if self.state == "PRUNED" else "COMPLETE"
        return Finished(self.number, state, fitted, "", self.history.kept + 1, self.parameters)

    @property
    def parameters(self) -> int:
        """Return how many trainable numbers its network has, or its networks together."""
        one = sum(p.numel() for p in self.member.model.parameters() if p.requires_grad)
        return one * len(self.history.kept_states)

    def news(self, behind: int) -> dict[str, Any]:
        """Return what the epochs after so many came to, for the same standing in another process."""
        history = self.history
        return {
            "epochs": history.epochs[behind:],
            "kept": history.kept,
            "cpu_seconds": history.cpu_seconds,
            "error": self.error,
            "state": self.state,
        }

    def follow(self, news: Mapping[str, Any]) -> None:
        """Take what epochs came to in another process."""
        self.error, self.state = news["error"], news["state"]
        self.history.cpu_seconds = news["cpu_seconds"]
        self.history.epochs.extend(news["epochs"])
        self.history.kept = news["kept"]

    def to_dict(self) -> dict[str, Any]:
        """Return what a checkpoint holds of it."""
        return {
            "number": self.number,
            "history": self.history.to_dict(),
            "error": self.error,
            "state": self.state,
        }

    def restore(self, value: Mapping[str, Any]) -> None:
        """Go on from a checkpoint."""
        self.history = History.from_dict(value["history"])
        self.error, self.state = value["error"], value["state"]

    def fitted(self) -> Fitted:
        """Return the trained model."""
        model, history = self._model(), self.history
        return Fitted(
            model=model.cpu().eval(),
            epochs=history.epochs,
            best_epoch=history.kept + 1,
            valid_loss=history.losses[history.kept],
            seconds=history.seconds,
            cpu_seconds=history.cpu_seconds,
            parameters=self.parameters,
            machine=self.machine,
        )

    def _model(self) -> Model:
        """Return its network with the kept numbers, or an ensemble of copies of it."""
        states = self.history.kept_states
        networks = [self.member.model, *(copy.deepcopy(self.member.model) for _ in states[1:])]
        for network, state in zip(networks, states, strict=True):
            network.load_state_dict(state, strict=False)
        return networks[0] if len(networks) == 1 else Ensemble(networks, self.member.task)
