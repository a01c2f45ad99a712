"""A population that pauses, and another that goes on with whoever was paused: the same bits as without a pause."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from goodfit.errors import ServiceError
from goodfit.training import Candidate, Finished, fit_population

Make = Callable[..., Any]
TRAILS: list[dict[str, Any]] = [
    {"ema": {"decay": 0.9}},
    {"swa": {"enabled": True, "start": 0.2}},
    {"lookahead": {"enabled": True}},
]


def candidates(make: Make, numbers: Sequence[int], data: Any = None) -> list[Candidate]:
    """Members with noise, running statistics and trails, which a pause must keep."""
    found = []
    for number in numbers:
        regularization = {"batch_norm": {"enabled": True}, "dropout": {"p": 0.1 + 0.02 * number}}
        recipe, rows = make(
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
