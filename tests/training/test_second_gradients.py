"""One step of the engine, written out by hand: where the gradient is taken, of what, and what it leaves alone."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn import functional

from goodfit.training import Candidate, Recipe, TrainingData
from goodfit.training.population.group import Group
from goodfit.training.population.rows import RowStore
from goodfit.training.start import started

Made = Callable[..., tuple[Recipe, TrainingData]]
LR = 0.5


def stacked(made: Sequence[tuple[Recipe, TrainingData]]) -> Group:
    """One member for each recipe, all on the rows of the first, before any step."""
    standings = [started(Candidate(number, recipe, seed=3, data=made[0][1])) for number, (recipe, _) in enumerate(made)]
    return Group(standings, *RowStore().prepared(standings[0]))


def one_step(make: Made, *settings: dict[str, Any]) -> Group:
    """Members that have taken a single step of plain gradient descent over all rows."""
    training = {"batch_size": 300, "optimizer": {"kind": "sgd", "lr": LR, "momentum": 0.0, "nesterov": False}}
    training["schedule"] = {"kind": "constant"}
    group = stacked([make(regularization=regularization, training=training) for regularization in settings])
    group.first = group.stack.weights.clone()  # type: ignore[attr-defined]
    group.epoch()
    return group


def losses(group: Group, weights: Tensor, numeric: Tensor) -> Tensor:
    """The loss of every row under weights [p], by the model itself."""
    named = {name: weights[first:last].view(shape) for name, (first, last, shape) in group.stack.layout.items()}
    model = group.standings[0].member.model
    logits = functional_call(model, named, (numeric, group.train_rows.categorical))
    target = group.train_rows.target
    found: Tensor = functional.binary_cross_entropy_with_logits(logits[:, 0], target, reduction="none")
    return found


def slope(group: Group, objective: Callable[[Tensor], Tensor]) -> Tensor:
    first = group.first[0].clone().requires_grad_()  # type: ignore[attr-defined]
    return torch.autograd.grad(objective(first), first)[0]


def objectives(group: Group) -> list[float]:
    return [standing.history.epochs[0].metrics["train/objective"] for standing in group.standings]


def test_sam_steps_along_the_gradient_at_the_worst_point_nearby(make: Made) -> None:
    rhos = (0.05, 0.4)
    group = one_step(make, *({"sam": {"rho": rho}} for rho in rhos))
    rows = group.train_rows.numeric
    for row, rho in enumerate(rhos):
        first = group.first[row]  # type: ignore[attr-defined]
        gradient = slope(group, lambda w: losses(group, w, rows).mean())
        at = (first + rho * gradient / gradient.norm()).requires_grad_()
        objective = losses(group, at, rows).mean()
        expected = first - LR * torch.autograd.grad(objective, at)[0]
        torch.testing.assert_close(group.stack.weights[row], expected, atol=1e-6, rtol=1e-4)
        assert objectives(group)[row] == pytest.approx(float(objective.detach()), rel=1e-5)
    assert not torch.allclose(group.stack.weights[0], group.stack.weights[1], atol=1e-5)


def test_adversarial_training_minimizes_both_losses(make: Made) -> None:
    chosen = [(0.05, 0.5), (1.0, 0.25)]
    group = one_step(make, *({"adversarial": {"enabled": True, "epsilon": e, "share": s}} for e, s in chosen))
    rows = group.train_rows.numeric
    first = group.first[0]  # type: ignore[attr-defined]
    open_rows = rows.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(losses(group, first, open_rows).sum(), open_rows)
    assert group.standings[0].member.layout.measured == (True,) * 4 + (False,) * 5
    for row, (epsilon, share) in enumerate(chosen):
        moved = rows.clone()
        moved[:, :4] += epsilon * gradient[:, :4].sign()

        def objective(w: Tensor, moved: Tensor = moved, share: float = share) -> Tensor:
            return (1 - share) * losses(group, w, rows).mean() + share * losses(group, w, moved).mean()

        expected = first - LR * slope(group, objective)
        torch.testing.assert_close(group.stack.weights[row], expected, atol=1e-6, rtol=1e-4)
        assert objectives(group)[row] == pytest.approx(float(objective(first)), abs=1e-6)
        assert float(losses(group, first, moved).mean()) > float(losses(group, first, rows).mean())


def test_the_penalty_is_part_of_the_objective(make: Made) -> None:
    group = one_step(make, {"l1": {"strength": 0.01}}, {"l1": {"strength": 0.1}})
    rows, first = group.train_rows.numeric, group.first[0]  # type: ignore[attr-defined]
    matrices = [span for span in group.stack.layout.values() if len(span[2]) == 2]
    assert len(matrices) == 3
    for row, strength in enumerate((0.01, 0.1)):

        def objective(w: Tensor, strength: float = strength) -> Tensor:
            sizes = torch.stack([w[start:stop].abs().sum() for start, stop, _ in matrices])
            return losses(group, w, rows).mean() + strength * sizes.sum()

        torch.testing.assert_close(group.stack.weights[row], first - LR * slope(group, objective), atol=1e-6, rtol=1e-4)
        assert objectives(group)[row] == pytest.approx(float(objective(first)), rel=1e-5)


@pytest.mark.parametrize("second", [{"sam": {"rho": 0.5}}, {"adversarial": {"enabled": True, "epsilon": 1.0}}])
def test_a_second_pass_moves_no_running_statistics(make: Made, second: dict[str, Any]) -> None:
    norm = {"batch_norm": {"enabled": True}}
    plain, twice = one_step(make, norm), one_step(make, norm | second)
    names = [name for name in plain.stack.buffers if "running" in name]
    assert len(names) == 4
    for name in names:
        assert torch.equal(plain.stack.buffers[name], twice.stack.buffers[name])
    assert not torch.equal(plain.stack.weights, twice.stack.weights)


@pytest.mark.parametrize("second", [{"sam": {"rho": 0.0001}}, {"adversarial": {"enabled": True, "epsilon": 1e-5}}])
def test_a_second_pass_draws_the_same_noise(make: Made, second: dict[str, Any]) -> None:
    """With so small a move both passes all but agree, unless other neurons were silent."""
    noise = {"dropout": {"p": 0.5}}
    plain, twice = one_step(make, noise), one_step(make, noise | second)
    torch.testing.assert_close(plain.stack.weights, twice.stack.weights, atol=1e-3, rtol=0)
    assert objectives(plain) == pytest.approx(objectives(twice), abs=1e-3)


def test_weights_are_within_max_norm_after_every_epoch(make: Made) -> None:
    group = one_step(make, {"max_norm": {"norm": 0.2}}, {"max_norm": {"norm": 0.5}})
    checked = 0
    for name, weight in group.stack.parameters.items():
        if weight.ndim == 3:
            checked += 1
            lengths = weight.detach().norm(dim=2).amax(dim=1)
            assert (lengths <= torch.tensor([0.2, 0.5]) + 1e-5).all(), name
    assert checked == 3


def test_decay_falls_with_its_schedule(make: Made) -> None:
    """Without a gradient to speak of, what is left of a weight is the product of what each step leaves."""
    settings = [{"weight_decay": {"strength": 100.0, "schedule": kind}} for kind in ("constant", "flat_cosine")]
    training = {"batch_size": 100, "epochs": 4, "schedule": {"kind": "constant"}}
    training["optimizer"] = {"kind": "sgd", "lr": 1e-4, "momentum": 0.0, "nesterov": False}
    group = stacked([make(regularization=regularization, training=training) for regularization in settings])
    first = group.stack.parameters["body.2.weight"].detach().clone()
    for _ in range(1, 5):
        group.epoch()
    left = [1.0] * 6 + [(1 + torch.cos(torch.tensor(torch.pi * step / 6)).item()) / 2 for step in range(6)]
    expected = [0.99**12, float(torch.tensor([1 - 0.01 * share for share in left]).prod())]
    ratios = (group.stack.parameters["body.2.weight"].detach() / first).flatten(1).median(dim=1).values
    assert ratios.tolist() == pytest.approx(expected, abs=2e-3)
    assert expected[1] - expected[0] > 0.01


def test_the_clock_tells_every_member_its_own_time(make: Made) -> None:
    settings = {"gradient_noise": {"eta": 0.01}, "dropout": {"p": 0.2, "schedule": "cosine"}}
    group = stacked([make(regularization=settings, training={"epochs": epochs}) for epochs in (4, 6, 8)])
    assert len(group.sizes) == 10
    for epoch, kept, totals in ((1, [0, 1, 2], [40.0, 60.0, 80.0]), (2, [2, 0], [80.0, 40.0])):
        group.keep(kept)
        group.epoch()
        clocks = {name: buffer.tolist() for name, buffer in group.stack.buffers.items() if "clock" in name}
        assert len(clocks) == 6  # of the noise and of two layers
        for name, told in clocks.items():
            assert told == (totals if name.endswith("total") else [10.0 * epoch - 1] * len(kept)), name


def test_noise_that_falls_at_once_is_gone_after_the_first_step(make: Made) -> None:
    """With so steep a fall, the weights move by noise once, and then as gradients have it."""
    settings = [{"gradient_noise": {"eta": 1.0, "gamma": gamma}} for gamma in (10.0, 0.0)]
    training = {"epochs": 3, "optimizer": {"kind": "sgd", "lr": 1e-4, "momentum": 0.0, "nesterov": False}}
    standings, data = [], None
    for number, regularization in enumerate(settings):
        recipe, rows = make(regularization=regularization, training={**training, "schedule": {"kind": "constant"}})
        data = data or rows
        standings.append(started(Candidate(number, recipe, seed=3, data=data)))
    group = Group(standings, *RowStore().prepared(standings[0]))
    group.epoch()
    before = group.stack.weights.clone()
    group.epoch()
    moved = (group.stack.weights - before).norm(dim=1)
    assert float(moved[1]) > 3 * float(moved[0])
