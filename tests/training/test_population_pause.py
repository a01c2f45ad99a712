"""A population that pauses, and another that goes on with whoever was paused: the same bits as without a pause."""

import gc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from goodfit.errors import ServiceError
from goodfit.training import Candidate, Epoch, Finished, Relay, fit_population

Make = Callable[..., Any]
TRAILS: list[dict[str, Any]] = [
    {"ema": {"decay": 0.9}},
    {"swa": {"enabled": True, "start": 0.2}},
    {"lookahead": {"enabled": True}},
]


def candidates(make: Make, numbers: Sequence[int], data: Any = None, apart: bool = False) -> list[Candidate]:
    """Members with noise, running statistics and trails, which a pause must keep; `apart` in a stack each."""
    found = []
    for number in numbers:
        regularization = {"batch_norm": {"enabled": True}, "dropout": {"p": 0.1 + 0.02 * number}}
        recipe, rows = make(
            model={"kind": "mlp", "layers": 2, "width": 16 + number if apart else 16},
            regularization=regularization | TRAILS[number % 3],
            training={"epochs": 6, "optimizer": {"kind": "adamw", "lr": 0.002 * (1 + number)}},
        )
        data = data or rows
        found.append(Candidate(number, recipe, seed=number, data=data))
    return found


def bits(finished: Finished) -> tuple[str, list[dict[str, float]], dict[str, bytes]]:
    assert finished.fitted is not None
    weights = {name: tensor.numpy().tobytes() for name, tensor in finished.fitted.model.state_dict().items()}
    return finished.state, [dict(epoch.metrics) for epoch in finished.fitted.epochs], weights


def leaving_two(epoch: int, losses: dict[int, float]) -> list[int]:
    """Stop everyone but the first two after the second epoch."""
    return [number for number in losses if number > 1] if epoch == 2 else []


def paused_at(state: Path, members: Sequence[Candidate], left: int = 2, **options: Any) -> list[Finished]:
    return list(fit_population(members, state=state, pause=lambda running: len(running) <= left, **options))


@pytest.mark.parametrize("cores", [1, 2])
def test_who_was_paused_goes_on_beside_others_to_the_same_bits(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cores: int
) -> None:
    monkeypatch.setattr("goodfit.training.population.crew.cores", lambda: cores)
    first = candidates(make, range(5))
    whole = {one.number: one for one in fit_population(first, state=None, judge=leaving_two)}
    found = paused_at(tmp_path / "0", first, judge=leaving_two)
    assert {one.number: one.state for one in found} == {
        0: "PAUSED",
        1: "PAUSED",
        2: "PRUNED",
        3: "PRUNED",
        4: "PRUNED",
    }
    going_on = [replace(one, begun=tmp_path / "0") for one in first[:2]]
    second = [*going_on, *candidates(make, range(5, 8), first[0].data)]
    heard: list[tuple[int, int, bool]] = []
    asked: list[tuple[int, list[int]]] = []

    def judge(epoch: int, losses: dict[int, float]) -> list[int]:
        asked.append((epoch, sorted(losses)))
        return []

    on_epoch = lambda number, epoch: heard.append((number, epoch.number, epoch.restored))  # noqa: E731
    ended = {one.number: one for one in fit_population(second, state=tmp_path / "1", judge=judge, on_epoch=on_epoch)}
    assert {number: bits(ended[number]) for number in (0, 1)} == {number: bits(whole[number]) for number in (0, 1)}
    assert asked[:2] == [(3, [0, 1]), (1, [5, 6, 7])]
    assert [one for one in heard if one[2]] == [(0, 1, True), (1, 1, True), (0, 2, True), (1, 2, True)]
    assert [epoch for number, epoch, _ in heard if number == 1] == [1, 2, 3, 4, 5, 6]
    alone = {one.number: one for one in fit_population(second[2:], state=None)}
    assert {number: bits(ended[number]) for number in (5, 6, 7)} == {n: bits(alone[n]) for n in (5, 6, 7)}


def test_a_pause_that_is_asked_for_again_comes_to_the_same(make: Make, tmp_path: Path) -> None:
    """A process that was killed after the pause asks again: nothing is trained, the same is said."""
    first = candidates(make, range(4))
    said = [(one.number, one.state) for one in paused_at(tmp_path, first, judge=leaving_two)]
    epochs: list[bool] = []
    again = paused_at(tmp_path, first, judge=leaving_two, on_epoch=lambda number, epoch: epochs.append(epoch.restored))
    assert sorted(said) == sorted((one.number, one.state) for one in again)
    assert epochs == [True] * 8


def test_a_second_pause_keeps_the_first(make: Make, tmp_path: Path) -> None:
    first = candidates(make, range(3))
    whole = {one.number: one for one in fit_population(first, state=None, judge=leaving_two)}
    paused_at(tmp_path / "0", first, judge=leaving_two)
    second = [*(replace(one, begun=tmp_path / "0") for one in first[:2]), *candidates(make, [9], first[0].data)]
    found = paused_at(tmp_path / "1", second, left=3)
    assert {one.number: one.state for one in found} == dict.fromkeys((0, 1, 9), "PAUSED")
    third = [replace(one, begun=tmp_path / "1") for one in first[:2]]
    ended = {one.number: one for one in fit_population(third, state=tmp_path / "2")}
    assert {number: bits(one) for number, one in ended.items()} == {n: bits(whole[n]) for n in (0, 1)}


def test_a_checkpoint_that_is_gone_or_of_another_is_refused(make: Make, tmp_path: Path) -> None:
    first = candidates(make, range(3))
    with pytest.raises(ServiceError, match=r"holds no sound checkpoint of \[0\]"):
        list(fit_population([replace(first[0], begun=tmp_path / "nothing")], state=None))
    paused_at(tmp_path / "0", first, judge=leaving_two)
    with pytest.raises(ServiceError, match="which were to go on from it"):
        list(fit_population([replace(first[0], seed=77, begun=tmp_path / "0")], state=None))


def test_who_shared_a_stack_goes_on_together(make: Make, tmp_path: Path) -> None:
    (one,) = candidates(make, [0])
    first = [replace(one, number=number) for number in range(3)]
    paused_at(tmp_path, first, judge=leaving_two)
    with pytest.raises(ValueError, match=r"\[1\] lack"):
        list(fit_population([replace(first[0], begun=tmp_path)], state=None))


def test_pausing_needs_a_place(make: Make) -> None:
    with pytest.raises(ValueError, match="needs a folder"):
        list(fit_population(candidates(make, [0]), state=None, pause=lambda running: True))


def test_who_keeps_no_weights_comes_to_the_same_figures(make: Make, tmp_path: Path) -> None:
    """And nothing of its networks is in a checkpoint."""
    snapshots = {"snapshot_ensemble": {"enabled": True}}
    recipe, data = make(regularization=snapshots, training={"epochs": 6})
    plain = candidates(make, range(3))
    both = [*plain, Candidate(3, recipe, seed=3, data=data)]
    whole = {one.number: one for one in fit_population(both, state=None, judge=leaving_two)}
    without = [replace(one, keeps_weights=False) for one in both]
    heard: dict[int, list[dict[str, float]]] = {}

    def listen(number: int, epoch: Epoch) -> None:
        heard.setdefault(number, []).append(dict(epoch.metrics))

    found = fit_population(without, state=tmp_path, judge=leaving_two, on_epoch=listen)
    ended = {one.number: one for one in found}
    assert len(ended) == 4
    for number, one in whole.items():
        assert one.fitted is not None
        assert heard[number] == [dict(epoch.metrics) for epoch in one.fitted.epochs]
        assert (one.state, one.best_epoch, one.parameters) == (
            ended[number].state,
            ended[number].best_epoch,
            ended[number].parameters,
        )
        assert one.best_epoch == one.fitted.best_epoch
        assert one.parameters == sum(p.numel() for p in one.fitted.model.parameters() if p.requires_grad)
    assert [one.fitted for one in ended.values()] == [None] * 4
    assert not list(tmp_path.glob("*.pt"))  # whoever calls has what there is to have


@pytest.mark.parametrize("cores", [1, 2])
@pytest.mark.parametrize("relayed", [True, False])
def test_who_is_paused_trains_on_while_others_are_made_ready(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cores: int, relayed: bool
) -> None:
    """Handed over or read from a checkpoint, with workers or without: the same bits, and the same questions."""
    monkeypatch.setattr("goodfit.training.population.crew.cores", lambda: cores)
    relay = Relay() if relayed else None
    first = candidates(make, range(5), apart=True)
    whole = {one.number: one for one in fit_population(first, state=None, judge=leaving_two)}
    told: list[dict[int, int]] = []

    def lead(behind: Mapping[int, int]) -> int:
        told.append(dict(behind))
        return 3

    paused_at(tmp_path / "0", first, judge=leaving_two, relay=relay, lead=lead)
    asked: list[tuple[int, list[int]]] = []

    def judge(epoch: int, losses: dict[int, float]) -> list[int]:
        asked.append((epoch, sorted(losses)))
        return []

    second = [replace(one, begun=tmp_path / "0") for one in first[:2]]
    second += candidates(make, range(5, 8), first[0].data, apart=True)
    heard: list[tuple[int, int]] = []
    ended = fit_population(
        second,
        state=tmp_path / "1",
        judge=judge,
        on_epoch=lambda number, epoch: heard.append((number, epoch.number)),
        relay=relay,
        lead=lead,
    )
    found = {one.number: bits(one) for one in ended}
    assert {number: found[number] for number in (0, 1)} == {number: bits(whole[number]) for number in (0, 1)}
    assert told == [{0: 2, 1: 2}] * (2 if relayed and cores == 2 else 1)
    assert asked[:4] == [(3, [0, 1]), (4, [0, 1]), (5, [0, 1]), (1, [5, 6, 7])]
    assert [epoch for number, epoch in heard if number == 1] == [1, 2, 3, 4, 5, 6]
    assert [epoch for number, epoch in heard if number == 7] == [1, 2, 3, 4, 5, 6]


def test_who_ends_on_the_lead_has_ended(make: Make, tmp_path: Path) -> None:
    """A lead beyond the last epoch is none: the stack rests when a member is done."""
    first = candidates(make, range(3), apart=True)
    whole = {one.number: one for one in fit_population(first, state=None, judge=leaving_two)}
    relay = Relay()
    paused_at(tmp_path / "0", first, judge=leaving_two, relay=relay, lead=lambda behind: 99)
    second = [replace(one, begun=tmp_path / "0") for one in first[:2]]
    second += candidates(make, [5], first[0].data, apart=True)
    ended = fit_population(second, state=tmp_path / "1", relay=relay, lead=lambda behind: 99)
    found = {one.number: bits(one) for one in ended}
    assert {number: found[number] for number in (0, 1)} == {number: bits(whole[number]) for number in (0, 1)}
    assert len(found[5][1]) == 6


def test_runners_that_nobody_takes_up_are_ended(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("goodfit.training.population.crew.cores", lambda: 2)
    relay = Relay()
    before = {child.pid for child in psutil.Process().children()}
    paused_at(tmp_path, candidates(make, range(4), apart=True), judge=leaving_two, relay=relay)
    running = {child.pid for child in psutil.Process().children()} - before
    assert len(running) == 2
    del relay
    gc.collect()
    assert not {child.pid for child in psutil.Process().children()} & running


def test_another_lead_than_was_begun_is_a_mistake(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("goodfit.training.population.crew.cores", lambda: 2)
    first = candidates(make, range(4), apart=True)
    relay = Relay()
    paused_at(tmp_path / "0", first, judge=leaving_two, relay=relay, lead=lambda behind: 2)
    going_on = [replace(one, begun=tmp_path / "0") for one in first[:2]]
    with pytest.raises(RuntimeError, match="a lead of 1 epochs"):
        list(fit_population(going_on, state=tmp_path / "1", relay=relay))
