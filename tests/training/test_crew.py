"""Stacks are trained by worker processes or by threads: the same bits, nobody left behind, no death unnoticed."""

import math
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from goodfit.errors import DataError, Fault, MachineError
from goodfit.models import MODELS, Inputs, Model
from goodfit.training import Candidate, Epoch, Finished, RowStore, fit_population
from goodfit.training.population import balance, crew, keeper, processes
from goodfit.training.population.balance import balanced
from goodfit.training.population.group import Group
from goodfit.training.population.processes import Processes
from goodfit.training.population.threads import Threads
from goodfit.training.population.worker import Hands
from goodfit.training.start import started

FORK = multiprocessing.get_context("fork")
WIDTHS = (4, 8, 12, 16, 20)


def mixed(make: Callable[..., Any]) -> list[Candidate]:
    """Five members, no two of one form; the third stops early."""
    found: list[Candidate] = []
    for number, width in enumerate(WIDTHS):
        patience = {"early_stopping": {"patience": 1 if number == 2 else 10}, "dropout": {"p": 0.2}}
        trails = {"ema": {"decay": 0.9}} if number % 2 else {"swa": {"enabled": True, "start": 0.2}}
        settings = patience | trails | {"batch_norm": {"enabled": True}}
        model = {"kind": "mlp", "layers": 1 + number % 2, "width": width}
        recipe, data = make(model=model, regularization=settings, training={"epochs": 6})
        found.append(Candidate(number, recipe, number, found[0].data if found else data, foreseen=number != 1))
    return found


def stacks(candidates: list[Candidate]) -> list[Group]:
    standings = [started(candidate) for candidate in candidates]
    return [Group([standing], *RowStore().prepared(standing)) for standing in standings]


def judge(epoch: int, losses: Any) -> list[int]:
    """Stop the worst after the second epoch and after the fourth."""
    return [max(losses, key=losses.__getitem__)] if epoch in (2, 4) else []


def outcome(candidates: list[Candidate], **options: Any) -> dict[int, Any]:
    options.setdefault("state", None)
    return {one.number: bits(one) for one in fit_population(candidates, judge=judge, **options)}


def bits(one: Finished) -> Any:
    assert one.fitted is not None, one.error
    curves = [sorted(epoch.metrics.items()) for epoch in one.fitted.epochs]
    return one.state, curves, {name: t.numpy().tobytes() for name, t in one.fitted.model.state_dict().items()}


def on(cores: int, monkeypatch: pytest.MonkeyPatch, platform: str = "linux") -> None:
    monkeypatch.setattr(crew, "cores", lambda: cores)
    monkeypatch.setattr(sys, "platform", platform)


@pytest.fixture
def crews(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[type]]:
    """The kind of every crew that is taken; afterwards none of its processes is left."""
    taken: list[type] = []
    choose = crew.crew_of

    def noting(groups: Any) -> Any:
        found = choose(groups)
        taken.append(type(found))
        return found

    monkeypatch.setattr("goodfit.training.population.population.crew_of", noting)
    before = set(psutil.Process().children())
    yield taken
    assert taken, "no crew was taken"
    assert set(psutil.Process().children()) <= before


@pytest.fixture
def undisturbed(make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> dict[int, Any]:
    with monkeypatch.context() as patch:
        on(1, patch)
        found = outcome(mixed(make))
    assert [state for state, *_ in found.values()].count("PRUNED") == 2
    return found


def test_a_worker_imports_nothing(
    make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, crews: list[type], regularizer_settings: Any
) -> None:
    """Another thread may hold the lock of a module while this process forks, and nobody would ever give it back."""
    on(2, monkeypatch)
    train, ended = Hands.train, 0

    def watched(self: Hands, places: Any) -> Any:
        before = set(sys.modules)
        news = train(self, places)
        if new := set(sys.modules) - before:
            raise MachineError([Fault("a worker", "imports", sorted(new))])
        return news

    monkeypatch.setattr(Hands, "train", watched)
    for settings in regularizer_settings.together():
        made = [make(model={"kind": "mlp", "width": width}, regularization=settings) for width in (8, 16)]
        candidates = [Candidate(n, recipe, n, made[0][1]) for n, (recipe, _) in enumerate(made)]
        ended += sum(one.state == "COMPLETE" for one in fit_population(candidates, state=None))
    assert ended >= 2
    assert set(crews) == {Processes}


@pytest.mark.parametrize(("cores", "platform"), [(2, "linux"), (3, "linux"), (99, "linux"), (2, "darwin")])
def test_the_bits_do_not_depend_on_who_trains(
    make: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    crews: list[type],
    undisturbed: dict[int, Any],
    cores: int,
    platform: str,
) -> None:
    on(cores, monkeypatch, platform)
    assert outcome(mixed(make)) == undisturbed


def test_who_trains_where(make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, crews: list[type]) -> None:
    for cores, platform in ((2, "linux"), (1, "linux"), (2, "darwin")):
        on(cores, monkeypatch, platform)
        outcome(mixed(make))
    on(2, monkeypatch)
    outcome(mixed(make)[:1])  # one stack needs one worker
    assert crews == [Processes, Threads, Threads, Threads]


def test_stacks_move_to_whoever_is_idle_and_keep_their_bits(
    make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, undisturbed: dict[int, Any]
) -> None:
    on(2, monkeypatch)
    moves: list[int] = []
    move, turn = Processes._move, iter(range(1000))

    def noting(self: Processes, group: Any, owner: int) -> None:
        moves.append(self.owners.get(id(group), owner) != owner)
        move(self, group, owner)

    def to_and_fro(costs: Any, owners: Any, workers: int) -> list[list[int]]:
        shift = next(turn)
        return [[piece for piece in range(len(costs)) if (piece + shift) % 2 == worker] for worker in range(workers)]

    monkeypatch.setattr(Processes, "_move", noting)
    monkeypatch.setattr(processes, "balanced", to_and_fro)
    assert outcome(mixed(make)) == undisturbed
    assert sum(moves) >= 5


class Foreign(Model):
    """A model that does not stack; in training it does first what the test says."""

    def __init__(self, inputs: Inputs, outputs: int, blocks: Any) -> None:
        super().__init__()
        self.body = nn.Linear(inputs.numeric, outputs)

    def forward(self, numeric: Tensor, categorical: Tensor) -> Tensor:
        if torch.is_grad_enabled():
            self.first(self)
        logits: Tensor = self.body(numeric)
        return logits

    @staticmethod
    def first(model: "Foreign") -> None:
        """What a test puts here."""


@pytest.fixture
def foreign(monkeypatch: pytest.MonkeyPatch, make: Callable[..., Any]) -> Callable[..., list[Candidate]]:
    monkeypatch.setattr(MODELS, "_members", dict(MODELS._members))
    MODELS.register("foreign", vectorizes=False, hidden_layers=False)(Foreign)

    def candidates(first: Callable[[Foreign], None]) -> list[Candidate]:
        monkeypatch.setattr(Foreign, "first", staticmethod(first))
        recipe, data = make(regularization={}, training={"epochs": 3})
        recipe = replace(recipe, model=MODELS["foreign"].options())
        return [Candidate(number, recipe, number, data) for number in range(2)]

    return candidates


@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_models_that_do_not_stack_are_trained_side_by_side(
    foreign: Callable[..., list[Candidate]], monkeypatch: pytest.MonkeyPatch, crews: list[type], platform: str
) -> None:
    on(2, monkeypatch, platform)
    place = FORK.Barrier(2)

    def meet(model: Foreign) -> None:
        if not hasattr(model, "met"):
            model.met = torch.tensor(place.wait(timeout=30))  # alone, it waits in vain and fails

    assert [found.state for found in fit_population(foreign(meet), state=None)] == ["COMPLETE", "COMPLETE"]


@pytest.mark.parametrize(("platform", "states"), [("linux", {"COMPLETE"}), ("darwin", {"FAIL"})])
def test_random_numbers_of_torch_are_shared_by_threads_alone(
    foreign: Callable[..., list[Candidate]],
    monkeypatch: pytest.MonkeyPatch,
    crews: list[type],
    platform: str,
    states: set[str],
) -> None:
    """Threads have one generator, so who draws from it is trained when its turn comes: nobody comes to meet it."""
    on(2, monkeypatch, platform)
    place = FORK.Barrier(2)
    if platform == "darwin":
        place.abort()

    def meet(model: Foreign) -> None:
        torch.rand(1)
        if not hasattr(model, "met"):
            model.met = torch.tensor(place.wait(timeout=30))

    monkeypatch.setattr("goodfit.training.population.group.Group.draws", True)
    assert {found.state for found in fit_population(foreign(meet), state=None)} == states


@pytest.mark.parametrize("cores", [1, 2])
def test_an_error_of_a_members_own_fails_it_and_nobody_else(
    foreign: Callable[..., list[Candidate]], make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, cores: int
) -> None:
    on(cores, monkeypatch)

    def break_down(model: Foreign) -> None:
        raise ValueError("my model is broken")

    candidates = foreign(break_down)
    sound = replace(mixed(make)[0], number=7, data=candidates[0].data)
    found = {one.number: one for one in fit_population([*candidates, sound], state=None)}
    assert {number: one.state for number, one in found.items()} == {0: "FAIL", 1: "FAIL", 7: "COMPLETE"}
    assert "ValueError: my model is broken" in found[0].error
    assert 'raise ValueError("my model is broken")' in found[0].error


@pytest.mark.parametrize("cores", [1, 2])
@pytest.mark.parametrize("error", [OSError(28, "No space left"), DataError([Fault("a row", "is odd", 3, "Drop it.")])])
def test_an_error_that_is_no_members_ends_the_population_unchanged(
    foreign: Callable[..., list[Candidate]],
    monkeypatch: pytest.MonkeyPatch,
    crews: list[type],
    cores: int,
    error: Exception,
) -> None:
    on(cores, monkeypatch)

    def fail(model: Foreign) -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        list(fit_population(foreign(fail), state=None))
    assert str(caught.value) == str(error)
    assert getattr(caught.value, "faults", None) == getattr(error, "faults", None)


@pytest.mark.parametrize("members", [1, 3])
def test_memory_that_is_too_small_for_a_stack_is_the_machines_and_for_one_network_its_own(
    make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, members: int
) -> None:
    recipe, data = make()
    monkeypatch.setattr(Group, "epoch", lambda group, clock: torch.empty(1 << 58))
    population = fit_population([Candidate(number, recipe, number, data) for number in range(members)], state=None)
    if members == 1:
        (found,) = population
        assert found.state == "FAIL" and "DefaultCPUAllocator" in found.error
        return
    with pytest.raises(MachineError, match="too little memory to train 3 networks at once. .*lower tune.batch"):
        list(population)


@pytest.mark.parametrize("when", ["it trains", "it waits"])
def test_a_worker_that_dies_is_named_and_the_next_call_goes_on(
    make: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    crews: list[type],
    undisturbed: dict[int, Any],
    tmp_path: Path,
    when: str,
) -> None:
    on(2, monkeypatch)
    monkeypatch.setattr(keeper, "SHARE", 1)  # a checkpoint after every epoch
    finish, epochs = Processes.finish, iter(range(100))

    def struck(self: Processes) -> None:
        if when == "it trains" and next(epochs) == 2:
            os.kill(self.workers[0].pid, signal.SIGKILL)
        finish(self)
        if when == "it waits" and next(epochs) == 2:
            os.kill(self.workers[1].pid, signal.SIGKILL)

    with monkeypatch.context() as patch:
        patch.setattr(Processes, "finish", struck)
        with pytest.raises(MachineError, match=r"has died \(signal SIGKILL\).*memory ran out.*Run again: it goes on"):
            outcome(mixed(make), state=tmp_path)
    restored: list[bool] = []
    again = outcome(mixed(make), state=tmp_path, on_epoch=lambda _, epoch: restored.append(epoch.restored))
    assert again == undisturbed
    assert any(restored)


def test_who_stops_listening_leaves_nobody_behind(
    make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, crews: list[type]
) -> None:
    on(2, monkeypatch)
    running = fit_population(mixed(make), state=None, judge=judge)
    next(running)
    assert len(psutil.Process().children()) >= 2
    running.close()  # type: ignore[attr-defined]


def test_where_no_process_can_be_had_threads_do_it(
    make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, crews: list[type], undisturbed: dict[int, Any]
) -> None:
    on(2, monkeypatch)
    fork, forks = os.fork, iter([0])

    def refused() -> int:
        if next(forks, None) is None:
            raise BlockingIOError(11, "Resource temporarily unavailable")
        return fork()  # the first one is there already when the second one is refused

    monkeypatch.setattr(os, "fork", refused)
    assert outcome(mixed(make)) == undisturbed


def _long(make: Callable[..., Any], pids: Any, lease: int) -> None:
    """Train for ever, in a process that the test kills; tell of the workers."""
    import fcntl

    fcntl.flock(lease, fcntl.LOCK_EX)
    crew.cores = lambda: 2
    candidates = [
        replace(c, recipe=replace(c.recipe, training=c.recipe.training.model_copy(update={"epochs": 10**6})))
        for c in mixed(make)
    ]

    def tell(number: int, epoch: Epoch) -> None:
        if number == 0 and epoch.number == 2:
            pids.send([child.pid for child in psutil.Process().children()])

    list(fit_population(candidates, state=None, on_epoch=tell, judge=lambda epoch, losses: []))


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_workers_end_with_their_parent_and_hold_nothing_of_it(
    make: Callable[..., Any], tmp_path: Path, how: signal.Signals
) -> None:
    import fcntl

    with (tmp_path / "lease").open("w") as mine, (tmp_path / "lease").open("w") as theirs:
        here, there = FORK.Pipe()
        parent = FORK.Process(target=_long, args=(make, there, theirs.fileno()))
        torch.set_num_threads(1)
        parent.start()
        theirs.close()
        workers = [psutil.Process(pid) for pid in here.recv()]
        assert len(workers) == 2
        for worker in workers:  # Ctrl-C in a terminal goes to all of them: the parent alone decides
            worker.send_signal(signal.SIGINT)
        time.sleep(0.2)
        assert all(worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE for worker in workers)
        assert parent.pid is not None
        os.kill(parent.pid, how)
        parent.join(30)
        assert not psutil.wait_procs(workers, timeout=10)[1]
        fcntl.flock(mine, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the lease is free: raises where a worker holds it


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=9), st.integers(1, 4))
def test_work_is_divided_whole_and_nearly_evenly(costs: list[float], workers: int) -> None:
    shares = balanced(costs, [None] * len(costs), workers)
    assert sorted(piece for share in shares for piece in share) == list(range(len(costs)))
    longest = max(sum(costs[piece] for piece in share) for share in shares)
    least = max(max(costs), math.fsum(costs) / workers)
    assert longest <= least * (2 - 1 / workers) * (1 + 1e-9)  # what Graham proved of any greedy division


def test_work_stays_where_it_is_until_moving_pays() -> None:
    assert balance.WORTH_IT > 1
    assert balanced([1.0, 1.0, 1.0], [0, 1, 0], 2) == [[0, 2], [1]]
    assert balanced([1.0, 1.05], [1, 0], 2) == [[1], [0]]
    assert balanced([1.0, 1.0], [0, 0], 2) == [[0], [1]]
    assert balanced([1.0], [None], 2) == [[0], []]


def test_a_stack_without_an_epoch_counts_by_its_size_beside_those_that_have_trained(make: Callable[..., Any]) -> None:
    narrow, middle, wide = stacks([mixed(make)[place] for place in (0, 2, 4)])
    sizes = [processes.PER_STACK + group.stack.weights.numel() for group in (narrow, middle, wide)]
    assert sizes == sorted(set(sizes))
    assert processes.costs({narrow: 1, middle: 1, wide: 3}) == [*sizes[:2], 3 * sizes[2]]
    for group in (narrow, middle):
        group.epoch()
    took = [group.standings[0].history.seconds for group in (narrow, middle)]
    assert processes.costs({narrow: 1, wide: 1, middle: 2}) == pytest.approx(
        [took[0], sum(took) / sum(sizes[:2]) * sizes[2], 2 * took[1]]
    )
