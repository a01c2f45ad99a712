"""A fit that was killed goes on and ends in the same bits as one that was not."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from goodfit.training import Epoch, Recipe, TrainingData, fit

Made = Callable[..., tuple[Recipe, TrainingData]]


def outcome(path: Path) -> tuple[list[Any], int]:
    saved = torch.load(path, weights_only=True)
    weights = [(name, tensor.numpy().tobytes()) for name, tensor in sorted(saved["weights"].items())]
    return [weights, saved["metrics"]], saved["restored"]


@pytest.fixture(scope="module")
def undisturbed(child: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    folder = tmp_path_factory.mktemp("undisturbed")
    process = child("fit_in_child.py", state=folder / "state", result=folder / "result")
    process.join(60)
    assert process.exitcode == 0
    return outcome(folder / "result")[0]


# Failpoint, and how many of the four epochs the next start finds.
KILLS = {
    "training.batch:3": 0,
    "training.batch:25": 2,
    "checkpoint.writing:1": 0,
    "checkpoint.writing:3": 2,
    "checkpoint.written:1": 0,
    "checkpoint.written:4": 3,
    "training.epoch:1": 1,
    "training.epoch:4": 4,
}


@pytest.mark.parametrize("point", KILLS)
def test_killed_and_started_again(
    child: Callable[..., Any], tmp_path: Path, undisturbed: list[Any], point: str
) -> None:
    state, result = tmp_path / "state", tmp_path / "result"
    killed = child("fit_in_child.py", state=state, result=result, failpoint=f"{point}:KILL")
    killed.join(60)
    assert killed.exitcode == -9
    assert not result.exists()
    again = child("fit_in_child.py", state=state, result=result)
    again.join(60)
    assert again.exitcode == 0
    assert outcome(result) == (undisturbed, KILLS[point])
    assert not list(state.glob(".*"))


@pytest.mark.faults
@pytest.mark.parametrize("signal_name", ["KILL", "TERM"])
@pytest.mark.parametrize("batch", range(1, 37, 5))
def test_killed_in_any_batch(
    child: Callable[..., Any], tmp_path: Path, undisturbed: list[Any], batch: int, signal_name: str
) -> None:
    state, result = tmp_path / "state", tmp_path / "result"
    for passage in (batch, 7):  # and once more while it resumes
        killed = child(
            "fit_in_child.py", state=state, result=result, failpoint=f"training.batch:{passage}:{signal_name}"
        )
        killed.join(60)
    again = child("fit_in_child.py", state=state, result=result)
    again.join(60)
    assert again.exitcode == 0
    assert outcome(result)[0] == undisturbed


def test_trap_without_a_seed_per_epoch_the_bits_differ(
    child: Callable[..., Any], tmp_path: Path, undisturbed: list[Any]
) -> None:
    """The comparison above can fail: dropout goes on from another random state."""
    results = []
    for name, point in (("whole", ""), ("killed", "training.epoch:2:KILL")):
        state, result = tmp_path / name, tmp_path / f"{name}.result"
        for failpoint in (point, ""):
            process = child("fit_in_child.py", state=state, result=result, failpoint=failpoint, without="reseeding")
            process.join(60)
        results.append(outcome(result)[0])
    assert results[0] != results[1]


def test_restored_epochs_are_reported_again_and_marked(churn: tuple[Recipe, TrainingData], tmp_path: Path) -> None:
    first: list[Epoch] = []
    again: list[Epoch] = []
    whole = fit(*churn, seed=1, state=tmp_path, on_epoch=first.append, progress=False)
    repeated = fit(*churn, seed=1, state=tmp_path, on_epoch=again.append, progress=False)
    assert [epoch.restored for epoch in first] == [False] * 4
    assert [epoch.restored for epoch in again] == [True] * 4
    assert [(e.number, e.metrics, e.seconds) for e in again] == [(e.number, e.metrics, e.seconds) for e in first]
    assert (repeated.seconds, repeated.cpu_seconds) == (whole.seconds, whole.cpu_seconds)
    for name, tensor in whole.model.state_dict().items():
        assert torch.equal(tensor, repeated.model.state_dict()[name])


def test_a_fit_that_had_stopped_early_does_not_go_on(make: Made, tmp_path: Path) -> None:
    stop = {"early_stopping": {"patience": 2}}
    recipe, data = make(regularization=stop, training={"epochs": 60, "optimizer": {"kind": "adam", "lr": 0.05}})
    first = fit(recipe, data, seed=1, state=tmp_path, progress=False)
    again = fit(recipe, data, seed=1, state=tmp_path, progress=False)
    assert len(again.epochs) == len(first.epochs) < 60
    assert again.best_epoch == first.best_epoch == len(first.epochs) - 2


@pytest.mark.parametrize("change", ["seed", "rows", "recipe"])
def test_state_of_another_fit_is_not_taken_up(
    make: Made, churn: tuple[Recipe, TrainingData], tmp_path: Path, change: str
) -> None:
    recipe, data = churn
    fit(recipe, data, seed=1, state=tmp_path, progress=False)
    if change == "rows":
        data = make(rows=270)[1]
    if change == "recipe":
        recipe = make(training={"batch_size": 31})[0]
    seen: list[Epoch] = []
    fit(recipe, data, seed=1 + (change == "seed"), state=tmp_path, on_epoch=seen.append, progress=False)
    assert not any(epoch.restored for epoch in seen)


def test_a_sealed_checkpoint_that_is_damaged_costs_one_epoch(
    churn: tuple[Recipe, TrainingData], tmp_path: Path
) -> None:
    whole = fit(*churn, seed=1, state=tmp_path, progress=False)
    newest = max(tmp_path.glob("epoch-*.pt"))
    newest.write_bytes(newest.read_bytes()[:-100])
    seen: list[Epoch] = []
    again = fit(*churn, seed=1, state=tmp_path, on_epoch=seen.append, progress=False)
    assert [epoch.restored for epoch in seen] == [True, True, True, False]
    for name, tensor in whole.model.state_dict().items():
        assert torch.equal(tensor, again.model.state_dict()[name])
