"""Members of one form, trained side by side."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from itertools import accumulate, pairwise
from typing import Any

import torch
from torch import Tensor

from goodfit.models import MODELS
from goodfit.stage import failpoint
from goodfit.training.batches import Batch, batch_sizes, order
from goodfit.training.member import State
from goodfit.training.noise import Generators
from goodfit.training.population.clock import Clock
from goodfit.training.population.foresight import Foresight
from goodfit.training.population.judging import plain_losses
from goodfit.training.population.kept import Kept
from goodfit.training.population.program import Demands, Program, draw
from goodfit.training.population.shown import Shown, shown
from goodfit.training.population.stack import Stack
from goodfit.training.population.standing import Standing
from goodfit.training.population.trails import Trails
from goodfit.training.recipe import FORESEEN
from goodfit.training.watching import watched_rows

GAP = "generalization_gap/loss"


class Group:
    """A stack of members and how far each has come; one call trains all of them for an epoch.

    Args:
        standings: of members of one form.
        train, valid: all rows, on the device and prepared.
    """

    def __init__(self, standings: Sequence[Standing], train: Batch, valid: Batch) -> None:
        self.standings = list(standings)
        self.train_rows = train
        self.valid_rows = valid
        self.device = standings[0].device
        members = [standing.member for standing in standings]
        self.program = Program(members[0])
        sections = [standing.candidate.recipe.training for standing in standings]
        self.stack = Stack(members, [section.optimizer for section in sections], self.device)
        kind = standings[0].candidate.recipe.model.model_dump()["kind"]
        self.stackable = bool(MODELS[kind].facts["vectorizes"])
        self.threads = sections[0].threads
        self.sizes = batch_sizes(len(train), sections[0].batch_size)
        self.trails = Trails(standings, self.stack.weights, len(self.sizes))
        self.kept = Kept([standing.candidate.keeps_weights for standing in standings])
        self.foresight = Foresight(standings, len(self.sizes))
        self._begin()
        self.watched = torch.stack([watched_rows(len(train), len(valid), s.candidate.seed) for s in standings])
        self.demands: dict[int, Demands] = {}

    @cached_property
    def draws(self) -> bool:
        """Whether its model draws from torch's own generator, as torch's own dropout does; seen in a trial of a step.

        What stacks cannot: `torch.func.vmap` refuses it.
        """
        if self.stackable:
            return False
        batch = self.train_rows.take_each(torch.arange(self.sizes[0], device=self.device)[None])
        with self._aside():
            before = torch.get_rng_state()
            self.demands[self.sizes[0]] = self.program.demands(batch)
            return not torch.equal(before, torch.get_rng_state())

    @property
    def epochs(self) -> int:
        """How many epochs its members have behind them."""
        return len(self.standings[0].history.epochs)

    def epoch(self, clock: Callable[[], float] = time.process_time) -> None:
        """Train every member for one more epoch and note what it came to; `clock` counts the CPU seconds of this."""
        started, started_cpu = time.perf_counter(), clock()
        number = self.epochs + 1
        rates = [
            s.rates(base, number, len(self.sizes)) for s, base in zip(self.standings, self.stack.rates, strict=True)
        ]
        objectives = self._steps(number, rates)
        present = shown(self.stack, self.trails, len(self.sizes) * number, self.program.network, self.train_rows)
        losses = {
            "train/loss": self._loss(present, self._watched()),
            "valid/loss": self._loss(present, self.valid_rows),
        }
        if self.foresight.active:
            foreseen = self.foresight.shown(self.stack, self.program.network, self.train_rows)
            losses[FORESEEN] = torch.minimum(losses["valid/loss"], self._loss(foreseen, self.valid_rows))
        losses["train/objective"] = objectives.double()
        values = torch.stack(list(losses.values()), dim=1).tolist()
        members = len(self.standings)
        seconds, cpu = (time.perf_counter() - started) / members, (clock() - started_cpu) / members
        improved = []
        for row, (standing, found) in enumerate(zip(self.standings, values, strict=True)):
            metrics = dict(zip(losses, found, strict=True)) | {GAP: found[1] - found[0], "lr": rates[row][-1]}
            if standing.add(metrics, seconds, cpu):
                improved.append(row)
        self.kept.remember(improved, present)

    def keep(self, rows: list[int]) -> None:
        """Go on with some of the members."""
        if len(rows) == len(self.standings):
            return
        self.standings = [self.standings[row] for row in rows]
        self.watched = self.watched[rows]
        self.stack.keep(rows)
        self.trails.keep(rows)
        self.kept.keep(rows)
        self._begin()

    def part(self, rows: Sequence[int]) -> list[list[State]]:
        """Let some of the members go, and return the kept networks of each, on the CPU."""
        found = [self.kept.of(row) for row in rows]
        self.keep([row for row in range(len(self.standings)) if row not in rows])
        return found

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint holds of it."""
        return {
            "members": [standing.to_dict() for standing in self.standings],
            "stack": self.stack.state_dict(),
            "trails": self.trails.state_dict(),
            "kept": self.kept.state_dict(),
        }

    def load_state_dict(self, value: Mapping[str, Any]) -> None:
        """Go on from a checkpoint of some of these members."""
        rows = {standing.number: row for row, standing in enumerate(self.standings)}
        self.keep([rows[member["number"]] for member in value["members"]])
        for standing, member in zip(self.standings, value["members"], strict=True):
            standing.restore(member)
        self.stack.load_state_dict(value["stack"])
        self.trails.load_state_dict(value["trails"])
        self.kept.load_state_dict(value["kept"])

    def _begin(self) -> None:
        """Compute with the numbers of the stack as they are now."""
        self.program.lend(self.stack.parameters, self.stack.buffers)
        steps = len(self.sizes)
        self.clock = Clock(self.stack.buffers, [s.candidate.recipe.training.epochs * steps for s in self.standings])

    def _steps(self, number: int, rates: list[list[float]]) -> Tensor:
        """Take every step of an epoch; return the mean objective over its rows, [k]."""
        stack, seeds = self.stack, [standing.candidate.seed for standing in self.standings]
        orders = torch.stack([order(len(self.train_rows), seed, number) for seed in seeds]).to(self.device)
        generators = Generators(seeds, number, self.device)
        parameters = list(stack.parameters.values())
        total = torch.zeros(len(seeds), device=self.device)
        decays = [standing.decays_left(number, len(self.sizes)) for standing in self.standings]
        done = len(self.sizes) * (number - 1)
        for step, (first, last) in enumerate(pairwise(accumulate(self.sizes, initial=0))):
            self.clock.set(done + step)
            batch = self.train_rows.take_each(orders[:, first:last])
            objectives, gradients = self.program.descent(batch, draw(self._demands(batch), generators))
            with torch.no_grad():
                stack.step(gradients, [rate[step] for rate in rates], [left[step] for left in decays])
                self.program.hooks.constrain(parameters)
                self.trails.follow(stack.weights, done + step + 1)
                self.foresight.follow(stack.weights, step)
                total.add_(objectives, alpha=last - first)
            failpoint("training.batch")  # in the middle of an epoch
        return total / len(self.train_rows)

    def _demands(self, batch: Batch) -> Demands:
        size = batch.target.shape[1]
        if size not in self.demands:
            with self._aside() if self.draws else nullcontext():
                self.demands[size] = self.program.demands(batch)
        return self.demands[size]

    def _aside(self) -> AbstractContextManager[None]:
        """Leave torch's own generators as they were: a trial of a step must not change what the steps draw."""
        return torch.random.fork_rng(devices=[self.device] if self.device.type == "cuda" else [])

    def _watched(self) -> Batch:
        """Return the train rows that each member is judged on, [k, n, ...]."""
        return self.train_rows.take_each(self.watched.to(self.device))

    def _loss(self, present: Shown, rows: Batch) -> Tensor:
        """Return the mean loss of each member on rows, [k]."""
        return plain_losses(self.program.network, self.program.member.task, present, rows)
