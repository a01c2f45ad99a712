"""A population that was killed goes on and ends in the same bits as one that was not."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

Child = Callable[..., Any]
SCRIPT = "population_in_child.py"
# Failpoint, and how many epochs the next start finds. Two stacks take ten steps an epoch each.
KILLS = {
    "training.batch:7": 0,
    "training.batch:50": 2,
    "checkpoint.writing:1": 0,
    "checkpoint.writing:3": 2,
    "checkpoint.written:3": 2,
    "training.epoch:1": 1,
    "training.epoch:4": 4,
}


def run(child: Child, **variables: Any) -> int:
    process = child(SCRIPT, **variables)
    process.join(120)
    return int(process.exitcode)


def outcome(path: Path) -> tuple[dict[int, Any], list[tuple[int, int, bool]]]:
    saved = torch.load(path, weights_only=True)
    found = {
        number: (state, metrics, {name: tensor.numpy().tobytes() for name, tensor in weights.items()})
        for number, state, metrics, weights in saved["outcome"]
    }
    assert len(found) == len(saved["outcome"]) == 6  # nobody lost, nobody twice
    return found, saved["heard"]


@pytest.fixture(scope="module")
def undisturbed(child: Child, tmp_path_factory: pytest.TempPathFactory) -> dict[int, Any]:
    folder = tmp_path_factory.mktemp("undisturbed")
    assert run(child, state=folder / "state", result=folder / "result") == 0
    found, heard = outcome(folder / "result")
    assert [state for state, _, _ in found.values()].count("PRUNED") == 2
    assert not any(restored for _, _, restored in heard)
    return found


@pytest.mark.parametrize("point", KILLS)
def test_killed_and_started_again(child: Child, tmp_path: Path, undisturbed: dict[int, Any], point: str) -> None:
    state, result = tmp_path / "state", tmp_path / "result"
    assert run(child, state=state, result=result, failpoint=f"{point}:KILL") == -9
    assert not result.exists()
    assert run(child, state=state, result=result) == 0
    found, heard = outcome(result)
    assert found == undisturbed
    assert max((epoch for _, epoch, restored in heard if restored), default=0) == KILLS[point]
    assert len(heard) == len({(number, epoch) for number, epoch, _ in heard})
    assert not list(state.glob(".*"))


def test_a_checkpoint_now_and_then_is_enough(child: Child, tmp_path: Path, undisturbed: dict[int, Any]) -> None:
    """With the real share of the time, most epochs of so small a population have none; the bits are the same."""
    state, result = tmp_path / "state", tmp_path / "result"
    assert run(child, state=state, result=result, failpoint="training.batch:61:KILL", share=1e-9) == -9
    assert run(child, state=state, result=result, share=1e-9) == 0
    assert outcome(result)[0] == undisturbed


@pytest.mark.parametrize("point", ["training.batch:25", "checkpoint.writing:3", "training.epoch:2"])
def test_killed_while_workers_train(child: Child, tmp_path: Path, undisturbed: dict[int, Any], point: str) -> None:
    """The process dies, whichever of its workers passes the point; one of them may be an epoch ahead of what is kept.

    The next start trains in threads: who trains does not matter.
    """
    state, result = tmp_path / "state", tmp_path / "result"
    assert run(child, state=state, result=result, failpoint=f"{point}:KILL", cores=2) == -9
    assert run(child, state=state, result=result) == 0
    found, heard = outcome(result)
    assert found == undisturbed
    assert max(epoch for _, epoch, restored in heard if restored) in (1, 2)


@pytest.mark.faults
@pytest.mark.parametrize("cores", [1, 2])
@pytest.mark.parametrize("batch", range(1, 80, 6))
def test_killed_twice_in_any_batch(
    child: Child, tmp_path: Path, undisturbed: dict[int, Any], batch: int, cores: int
) -> None:
    state, result = tmp_path / "state", tmp_path / "result"
    for passage in (batch, 9):
        run(child, state=state, result=result, failpoint=f"training.batch:{passage // cores + 1}:KILL", cores=cores)
    assert run(child, state=state, result=result) == 0
    assert outcome(result)[0] == undisturbed
