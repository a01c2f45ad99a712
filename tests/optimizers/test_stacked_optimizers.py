"""One step over the rows of a matrix is torch's step for each of them."""

from typing import Any

import pytest
import torch
from torch import nn

from goodfit.optimizers import OPTIMIZERS, StackedOptimizer

MEMBERS, STEPS, SPLIT = 4, 12, 9


def spread(**starts: tuple[float, float]) -> list[dict[str, Any]]:
    """Options of each member, from first value and step."""
    return [{name: first + step * n for name, (first, step) in starts.items()} for n in range(MEMBERS)]


OPTIONS = {
    "rmsprop": spread(lr=(0.01, 0.01), alpha=(0.9, -0.1), momentum=(0.2, 0.1), epsilon=(1e-6, 1e-4)),
    "sgd": spread(lr=(0.01, 0.01), momentum=(0.5, 0.1)),
} | dict.fromkeys(
    ("adam", "adamw", "nadam", "radam"),
    spread(lr=(0.01, 0.01), beta1=(0.9, -0.1), beta2=(0.99, -0.05), epsilon=(1e-6, 1e-4)),
)
PLAIN = {"rmsprop": {"momentum": 0.0}, "sgd": {"momentum": 0.0, "nesterov": False}}


def gradients() -> torch.Tensor:
    torch.manual_seed(1)
    return torch.randn(STEPS, MEMBERS, 15)


def stacked(kind: str, options: list[dict[str, Any]], decays: list[float], keep: list[int] | None = None) -> Any:
    torch.manual_seed(0)
    weights = torch.randn(MEMBERS, 15)
    built = [OPTIMIZERS.build(OPTIMIZERS[kind].options(**values)) for values in options]
    optimizer = StackedOptimizer(kind, built, weights, [(0, SPLIT, decays)] if any(decays) else [])
    rows = list(range(MEMBERS))
    for count, gradient in enumerate(gradients()):
        if keep is not None and count == STEPS // 2:
            rows = keep
            optimizer.keep(rows, optimizer.weights[rows])
        optimizer.step(gradient[rows].clone(), [options[row]["lr"] * 0.9**count for row in rows])
    return optimizer


def by_torch(kind: str, options: dict[str, Any], decay: float, row: int) -> torch.Tensor:
    torch.manual_seed(0)
    weights = torch.randn(MEMBERS, 15)[row]
    first, last = nn.Parameter(weights[:SPLIT].clone()), nn.Parameter(weights[SPLIT:].clone())
    groups = [{"params": [first], "weight_decay": decay}, {"params": [last], "weight_decay": 0.0}]
    optimizer = OPTIMIZERS.build(OPTIMIZERS[kind].options(**options)).build(groups)
    for count, gradient in enumerate(gradients()[:, row]):
        first.grad, last.grad = gradient[:SPLIT].clone(), gradient[SPLIT:].clone()
        for group in optimizer.param_groups:
            group["lr"] = options["lr"] * 0.9**count
        optimizer.step()
    return torch.cat([first, last]).detach()


def test_every_optimizer_takes_part() -> None:
    assert set(OPTIONS) == set(OPTIMIZERS)


@pytest.mark.parametrize("kind", OPTIMIZERS)
@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("plain", [False, True])
def test_each_row_steps_as_torch_steps(kind: str, decay: float, plain: bool) -> None:
    options = [{**values, **(PLAIN.get(kind, {}) if plain else {})} for values in OPTIONS[kind]]
    decays = [decay * row for row in range(MEMBERS)]
    found = stacked(kind, options, decays).weights
    for row in range(MEMBERS):
        torch.testing.assert_close(found[row], by_torch(kind, options[row], decays[row], row), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", ["adam", "adamw"])
def test_the_formula_for_other_devices_is_that_of_the_fused_kernel(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fused = stacked(kind, OPTIONS[kind], [0.1] * MEMBERS).weights
    called = []
    monkeypatch.setattr("goodfit.optimizers.moments.fused_here", lambda weights: called.append(1))
    torch.testing.assert_close(stacked(kind, OPTIONS[kind], [0.1] * MEMBERS).weights, fused, rtol=1e-5, atol=1e-6)
    assert len(called) == STEPS


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_who_stays_does_not_notice_who_leaves(kind: str) -> None:
    decays = [0.1] * MEMBERS
    whole, part = stacked(kind, OPTIONS[kind], decays), stacked(kind, OPTIONS[kind], decays, keep=[0, 3])
    assert torch.equal(part.weights, whole.weights[[0, 3]])


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_a_state_taken_up_again_goes_on_in_the_same_bits(kind: str) -> None:
    first, second = stacked(kind, OPTIONS[kind], []), stacked(kind, OPTIONS[kind], [])
    second.load_state_dict(first.state_dict())
    second.weights.copy_(first.weights)
    rates = [0.01] * MEMBERS
    for optimizer in (first, second):
        optimizer.step(gradients()[0].clone(), rates)
    assert torch.equal(first.weights, second.weights)
    assert first.count == STEPS + 1
