"""The ensemble that greedy selection ends with, on problems whose answer is known."""

import json
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from goodfit.ensembling import alike, read_leaders, select
from goodfit.errors import DataError
from goodfit.tasks import TASKS, task_named

TASK = task_named("regression")
TRUTH = torch.arange(40, dtype=torch.float32).remainder(7)


def off_by(*errors: float) -> list[torch.Tensor]:
    """Models of a number whose answers are off by that much."""
    return [(TRUTH + error)[:, None] for error in errors]


def test_models_whose_errors_cancel_are_chosen_and_the_best_comes_first() -> None:
    found = select(off_by(3.0, 0.5, -0.5), TRUTH, TASK, votes=10)
    assert found.members == [1, 2]
    assert found.votes == (0, 1, 1)
    assert found.losses == pytest.approx((0.25, 0.0), abs=1e-12)


def test_the_best_alone_comes_first_wherever_it_lies_in_the_library() -> None:
    """It is what the ensemble is compared with; the one of the lowest number was taken for it."""
    found = select(off_by(-0.6, 3.0, 0.5), TRUTH, TASK, votes=4)
    assert (found.votes, found.members) == ((1, 0, 1), [2, 0])


def test_votes_that_are_alike_leave_out_nobody() -> None:
    found = alike(off_by(-2.0, 3.0, 0.5), TRUTH, TASK)
    assert (found.votes, found.members) == ((1, 1, 1), [2, 0, 1])
    assert found.losses == pytest.approx((0.25, 0.75**2, 0.5**2))


def test_a_model_may_have_more_votes_than_another() -> None:
    found = select(off_by(1.0, -2.0), TRUTH, TASK, votes=3)
    assert found.votes == (2, 1), "two of 1 and one of -2 are 0 on average"
    assert found.losses[-1] == pytest.approx(0, abs=1e-12)


def test_a_vote_that_gains_nothing_lets_the_next_one_gain() -> None:
    found = select(off_by(0.5, -2.0), TRUTH, TASK, votes=5)
    assert found.votes == (4, 1), "alone, and one to one, the second only harms"
    assert found.losses[0] == found.losses[1] == pytest.approx(0.25)


def test_nobody_joins_a_model_that_is_not_helped() -> None:
    found = select(off_by(0.1, 5.0), TRUTH, TASK, votes=10)
    assert (found.votes, len(found.losses)) == ((1, 0), 1)


def test_a_bound_on_votes_is_held() -> None:
    found = select(off_by(1.0, -0.9, 0.7, -0.8), TRUTH, TASK, votes=2)
    assert sum(found.votes) == 2


@pytest.mark.parametrize("name", TASKS)
@given(seed=st.integers(0, 10_000), models=st.integers(1, 6), votes=st.integers(1, 8))
@settings(max_examples=20, deadline=None)
def test_the_last_loss_is_the_lowest_and_that_of_the_votes(name: str, seed: int, models: int, votes: int) -> None:
    task, random = task_named(name), torch.Generator().manual_seed(seed)
    classes = {"binary": 2, "multiclass": 3, "regression": 0}[name]
    logits = [torch.randn(30, task.outputs(classes), generator=random) for _ in range(models)]
    target = torch.randint(max(classes, 2), (30,), generator=random)
    target = target.to(task.target_dtype) if name != "multiclass" else target
    found = select(logits, target, task, votes)
    assert 1 <= sum(found.votes) == len(found.losses) <= votes
    assert all(earlier > found.losses[-1] for earlier in found.losses[:-1])
    counted = [scores.double() for scores, count in zip(logits, found.votes, strict=True) for _ in range(count)]
    wanted = target.double() if target.is_floating_point() else target
    assert float(task.loss(task.pooled(torch.stack(counted)), wanted).mean()) == pytest.approx(found.losses[-1])
    alone = [float(task.loss(task.pooled(one.double()[None]), wanted).mean()) for one in logits]
    assert found.losses[0] == pytest.approx(min(alone)), "the best by itself is the first"
    assert alone[found.members[0]] == min(alone)
    assert sorted(found.members) == [model for model, count in enumerate(found.votes) if count]
    assert alike(logits, target, task).losses[0] == pytest.approx(min(alone))


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"leaders": [{"trial": 1}]}', '{"leaders": 3}'])
def test_a_file_that_no_search_wrote_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "leaders.json"
    path.write_text(content)
    with pytest.raises(DataError, match="does not hold what a search writes"):
        read_leaders(path)


def test_leaders_are_read_in_their_order(tmp_path: Path) -> None:
    path = tmp_path / "leaders.json"
    path.write_text(
        json.dumps({"leaders": [{"trial": 4, "value": 0.5, "eligible": False, "overrides": {"model.width": 8}}]})
    )
    assert [(one.trial, one.eligible, one.overrides) for one in read_leaders(path)] == [(4, False, {"model.width": 8})]
