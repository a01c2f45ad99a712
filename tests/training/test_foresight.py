"""Losses of the mean of an epoch's weights: what they are, that judges go by them, that they disturb nothing."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from goodfit.bundle import tensor
from goodfit.tasks import task_named
from goodfit.training import FORESEEN, Candidate, Epoch, Finished, Recipe, TrainingData, fit_population
from goodfit.training.population.stack import Stack
from goodfit.training.start import identity, started

Made = Callable[..., tuple[Recipe, TrainingData]]
PLAIN: dict[str, Any] = {"regularization": {"dropout": {"p": 0.2}}}
STEEP: dict[str, Any] = {"training": {"optimizer": {"kind": "adamw", "lr": 0.05}}}


def candidate(make: Made, number: int = 0, **changes: Any) -> Candidate:
    recipe, data = make(**PLAIN | changes)
    return Candidate(number, recipe, seed=number + 1, data=data, foreseen=True)


def trained(*candidates: Candidate, **options: Any) -> dict[int, list[Epoch]]:
    found = {one.number: one for one in fit_population(candidates, state=None, **options)}
    return {number: epochs(one) for number, one in found.items()}


def epochs(finished: Finished) -> list[Epoch]:
    assert finished.fitted is not None, finished.error
    return finished.fitted.epochs


def metric(found: list[Epoch], name: str) -> list[float]:
    return [epoch.metrics[name] for epoch in found]


@pytest.mark.parametrize(("rate", "mean_is_lower"), [(0.05, True), (1e-4, False)])
def test_it_is_the_loss_of_the_mean_of_the_later_half_where_that_is_lower(
    make: Made, stepped: list[Tensor], rate: float, mean_is_lower: bool
) -> None:
    one = candidate(make, training={"optimizer": {"kind": "adamw", "lr": rate}})
    (found,) = trained(one).values()
    steps = one.steps
    assert steps == 10
    assert len(stepped) == steps * len(found)
    standing = started(one)
    network = standing.member.model.eval()
    layout = Stack([standing.member], [one.recipe.training.optimizer], torch.device("cpu")).layout
    task = task_named(one.recipe.task)
    rows = tensor(one.data.valid.numeric), tensor(one.data.valid.categorical)
    lower = []
    for epoch in found:
        last = stepped[: steps * epoch.number][-(steps - steps // 2) :]
        mean = torch.stack(last).mean(dim=0)
        for name, (first, end, shape) in layout.items():
            network.get_parameter(name).data.copy_(mean[first:end].view(shape))
        with torch.no_grad():
            loss = task.loss(network(*rows), tensor(one.data.valid_target)).mean()
        raw = epoch.metrics["valid/loss"]
        assert epoch.metrics[FORESEEN] == pytest.approx(min(float(loss), raw), abs=1e-6)
        lower.append(float(loss) < raw)
    assert any(lower) == mean_is_lower


def test_of_one_step_it_is_the_loss(make: Made) -> None:
    (found,) = trained(candidate(make, training={"batch_size": 300})).values()
    assert metric(found, FORESEEN) == pytest.approx(metric(found, "valid/loss"), abs=1e-6)


def test_it_disturbs_nothing(make: Made) -> None:
    one = candidate(make, regularization={"batch_norm": {"enabled": True}, "ema": {"decay": 0.9}})
    (with_it,) = trained(one).values()
    (without,) = trained(replace(one, foreseen=False)).values()
    assert [{n: v for n, v in e.metrics.items() if n != FORESEEN} for e in with_it] == [e.metrics for e in without]
    assert all(FORESEEN not in epoch.metrics for epoch in without)


def test_running_statistics_are_those_of_the_mean(make: Made) -> None:
    slow, quick = (
        trained(candidate(make, regularization={"batch_norm": {"enabled": True, "momentum": momentum}}, **STEEP))[0]
        for momentum in (0.01, 0.1)
    )
    assert metric(slow, "train/objective") == metric(quick, "train/objective")
    assert metric(slow, "valid/loss") != metric(quick, "valid/loss")
    pairs = [
        (one.metrics[FORESEEN], other.metrics[FORESEEN])
        for one, other in zip(slow, quick, strict=True)
        if all(epoch.metrics[FORESEEN] < epoch.metrics["valid/loss"] for epoch in (one, other))
    ]
    assert pairs
    assert [one for one, _ in pairs] == pytest.approx([other for _, other in pairs], abs=1e-6)


def test_members_come_out_as_alone(make: Made) -> None:
    several = [candidate(make, number) for number in range(4)]
    together = trained(*several)
    assert len(together) == 4
    for one in several:
        (alone,) = trained(one).values()
        assert metric(together[one.number], FORESEEN) == pytest.approx(metric(alone, FORESEEN), abs=1e-5)


def test_judges_go_by_it(make: Made) -> None:
    heard: dict[int, dict[int, float]] = {}

    def judge(epoch: int, values: Mapping[int, float]) -> Collection[int]:
        heard[epoch] = dict(values)
        return ()

    foreseen, plain = candidate(make), replace(candidate(make, 1), foreseen=False)
    found = trained(foreseen, plain, judge=judge)
    assert [heard[epoch][0] for epoch in sorted(heard)] == metric(found[0], FORESEEN)
    assert [heard[epoch][1] for epoch in sorted(heard)] == metric(found[1], "valid/loss")


def test_a_checkpoint_without_it_is_not_gone_on_from(make: Made, tmp_path: Path) -> None:
    one = candidate(make)
    assert identity(started(one)) != identity(started(replace(one, foreseen=False)))
    for each in (replace(one, foreseen=False), one):
        (finished,) = fit_population([each], state=tmp_path)
        assert all((FORESEEN in epoch.metrics) == each.foreseen for epoch in epochs(finished))
