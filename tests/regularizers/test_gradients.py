"""What acts on objective, gradient and weights of a step: the formulas of their papers."""

import copy
import math
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.func import functional_call, stack_module_state, vmap

from goodfit.preprocessing import Layout
from goodfit.regularizers import L1, SAM, Adversarial, GradientNoise, MaxNorm, Regularizer, Rows
from goodfit.regularizers.clock import STEP, TOTAL
from goodfit.regularizers.dropout import DropoutLayer
from goodfit.regularizers.fading import left
from goodfit.regularizers.weight_decay import WeightDecay


def of_stack(members: list[Regularizer], hook: str, *tensors: Any) -> Any:
    """Call a hook for tensors [k, ...] with the strengths of k members as one of them gets them."""
    _, buffers = stack_module_state(members)
    one = copy.deepcopy(members[0])
    for name, buffer in buffers.items():
        one.get_submodule(name.rpartition(".")[0])._buffers[name.rpartition(".")[2]] = buffer
    return getattr(one, hook)(*tensors)


def weights(members: int = 0) -> list[Tensor]:
    torch.manual_seed(0)
    lead = (members,) if members else ()
    return [torch.randn(*lead, 5, 7), torch.randn(*lead, 5), torch.randn(*lead, 3, 5)]


# L1


def test_l1_is_the_sum_of_the_sizes_of_weights_without_biases() -> None:
    first, bias, second = weights()
    expected = 0.3 * (first.abs().sum() + second.abs().sum())
    torch.testing.assert_close(L1(strength=0.3).penalty([first, bias, second]).float(), expected)


def test_l1_pulls_every_weight_by_its_strength_and_no_bias() -> None:
    parameters = [weight.requires_grad_() for weight in weights()]
    L1(strength=0.3).penalty(parameters).backward()
    torch.testing.assert_close(parameters[0].grad, 0.3 * parameters[0].detach().sign())
    assert parameters[1].grad is None


def test_members_are_penalized_by_their_own_strengths() -> None:
    stacked = weights(3)
    found = of_stack([L1(strength=s) for s in (0.0, 0.1, 2.0)], "penalty", stacked)
    alone = [L1(strength=s).penalty([w[i] for w in stacked]) for i, s in enumerate((0.0, 0.1, 2.0))]
    torch.testing.assert_close(found, torch.stack(alone))
    assert found[0] == 0


# Max-norm


def test_max_norm_bounds_every_row_and_leaves_short_ones_to_the_bit() -> None:
    first, bias, second = weights()
    short, kept, other = MaxNorm(norm=2.0).constrained([first, bias, second])
    lengths = first.norm(dim=1)
    assert 0 < int((lengths > 2).sum()) < 5
    torch.testing.assert_close(short.norm(dim=1), lengths.clamp(max=2.0))
    assert torch.equal(short[lengths <= 2], first[lengths <= 2])
    assert kept is bias
    assert bool((other.norm(dim=1) <= 2 + 1e-5).all())


def test_members_are_bounded_by_their_own_norms() -> None:
    stacked = weights(3)
    norms = (0.0, 1.0, 3.0)
    found = of_stack([MaxNorm(norm=norm) for norm in norms], "constrained", stacked)
    assert torch.equal(found[0][0], stacked[0][0])
    for index, norm in enumerate(norms[1:], start=1):
        assert torch.equal(found[0][index], MaxNorm(norm=norm).constrained([stacked[0][index]])[0])


# Gradient noise


def test_the_variance_of_gradient_noise_falls_as_the_paper_has_it() -> None:
    torch.manual_seed(0)
    noise = GradientNoise(eta=0.3, gamma=0.55)
    for done in (0, 1, 99, 9999):
        noise.get_buffer(STEP).fill_(done)
        (found,) = noise.gradients([torch.ones(200_000)])
        assert float(found.mean()) == pytest.approx(1, abs=0.01)
        assert float(found.var()) == pytest.approx(0.3 / (1 + done) ** 0.55, rel=0.02)


def test_members_are_noisy_by_their_own_strengths() -> None:
    torch.manual_seed(0)
    members = [GradientNoise(eta=eta, gamma=gamma) for eta, gamma in ((0.0, 0.5), (1.0, 0.0), (1.0, 2.0))]
    for member in members:
        member.get_buffer(STEP).fill_(9)
    (found,) = of_stack(members, "gradients", [torch.zeros(3, 100, 1000)])
    assert torch.equal(found[0], torch.zeros(100, 1000))
    assert found[1:].flatten(1).std(dim=1).tolist() == pytest.approx([1, 0.1], rel=0.02)


# Sharpness-aware minimization


def test_sam_goes_rho_along_the_gradient_of_all_parameters_together() -> None:
    gradients = weights()
    offsets = SAM(rho=0.05).perturbation(gradients)
    whole, offset = (torch.cat([part.flatten() for part in parts]) for parts in (gradients, offsets))
    assert float(offset.norm()) == pytest.approx(0.05, rel=1e-4)
    torch.testing.assert_close(offset / offset.norm(), whole / whole.norm())


def test_sam_finds_where_the_loss_is_worst_to_first_order() -> None:
    torch.manual_seed(0)
    point, curvature = torch.randn(20), torch.rand(20)

    def loss(at: Tensor) -> Tensor:
        return (curvature * at.square()).sum()

    gradient = 2 * curvature * point
    (offset,) = SAM(rho=0.01).perturbation([gradient])
    rise = float(loss(point + offset) - loss(point))
    assert rise == pytest.approx(0.01 * float(gradient.norm()), rel=0.02)
    others = [float(loss(point + 0.01 * torch.nn.functional.normalize(torch.randn(20), dim=0))) for _ in range(200)]
    assert max(others) < float(loss(point + offset))


def test_a_gradient_of_zeros_goes_nowhere() -> None:
    assert torch.equal(SAM(rho=0.05).perturbation([torch.zeros(4)])[0], torch.zeros(4))


# Adversarial training


def rows(numeric: Tensor) -> Rows:
    layout = Layout((0, 1, 2, 2), (3,), (True, True, False, False))
    return Rows(numeric, torch.zeros(*numeric.shape[:-1], 1, dtype=torch.int64), layout)


def test_fgsm_moves_scaled_numbers_alone_and_raises_the_loss_to_first_order() -> None:
    torch.manual_seed(0)
    numeric, weight = torch.randn(50, 4), torch.randn(4)

    def losses(values: Tensor) -> Tensor:
        return torch.nn.functional.softplus(values @ weight)

    open_values = numeric.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(losses(open_values).sum(), open_values)
    moved = Adversarial(enabled=True, epsilon=0.007).attack(rows(numeric), gradient)
    shift = moved.numeric - numeric
    torch.testing.assert_close(shift[:, :2].abs(), torch.full((50, 2), 0.007), atol=1e-6, rtol=0)
    assert torch.equal(shift[:, 2:], torch.zeros(50, 2))
    rise = losses(moved.numeric) - losses(numeric)
    torch.testing.assert_close(rise, 0.007 * gradient[:, :2].abs().sum(dim=1), rtol=0.02, atol=1e-6)
    assert bool((rise > 0).all())


def test_numbers_are_not_clamped() -> None:
    far = torch.full((3, 4), 5.0)
    moved = Adversarial(enabled=True, epsilon=0.5).attack(rows(far), torch.ones(3, 4))
    assert moved.numeric[0].tolist() == [5.5, 5.5, 5.0, 5.0]


def test_members_are_attacked_by_their_own_strengths_and_shares() -> None:
    members: list[Regularizer] = [
        Adversarial(enabled=True, epsilon=epsilon, share=share) for epsilon, share in ((0.0, 0.5), (0.1, 0.25), (2, 1))
    ]
    moved = of_stack(members, "attack", rows(torch.zeros(3, 6, 4)), torch.ones(3, 6, 4))
    assert moved.numeric[:, 0, 0].tolist() == pytest.approx([0, 0.1, 2])
    joined = of_stack(members, "attacked", torch.zeros(3, 6), torch.ones(3, 6))
    assert joined[:, 0].tolist() == pytest.approx([0.5, 0.25, 1])


# Strengths over time


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("constant", [1, 1, 1, 1, 1]),
        ("cosine", [1, (1 + math.sqrt(0.5)) / 2, 0.5, (1 - math.sqrt(0.5)) / 2, 0]),
        ("flat_cosine", [1, 1, 1, 0.5, 0]),
    ],
)
def test_what_is_left_of_a_strength(schedule: Any, expected: list[float]) -> None:
    shares = torch.tensor([0, 0.25, 0.5, 0.75, 1.0], dtype=torch.float64)
    torch.testing.assert_close(left(schedule, shares), torch.tensor(expected, dtype=torch.float64))
    torch.testing.assert_close(WeightDecay(strength=1.0, schedule=schedule).decay_left(shares), left(schedule, shares))


def test_dropout_falls_with_its_schedule() -> None:
    torch.manual_seed(0)
    layer = DropoutLayer(0.6, "flat_cosine")
    layer.get_buffer(TOTAL).fill_(100)
    shares = []
    for step in (0, 40, 75, 100):
        layer.get_buffer(STEP).fill_(step)
        values = layer(torch.ones(400, 500))
        shares.append(float((values == 0).float().mean()))
        assert float(values.mean()) == pytest.approx(1, abs=0.02)
    assert shares == pytest.approx([0.6, 0.6, 0.3, 0.0], abs=0.01)
    assert shares[-1] == 0


def test_members_drop_by_their_own_time() -> None:
    layers = [DropoutLayer(0.5, "cosine") for _ in range(3)]
    _, buffers = stack_module_state(layers)
    buffers[TOTAL] = torch.tensor([100.0, 200.0, 50.0], dtype=torch.float64)
    buffers[STEP] = torch.full((3,), 50.0, dtype=torch.float64)
    together = vmap(lambda b, x: functional_call(layers[0], b, (x,)), randomness="different")
    silent = (together(buffers, torch.ones(3, 200, 200)) == 0).float().mean(dim=(1, 2))
    torch.testing.assert_close(silent, torch.tensor([0.25, 0.25 * (1 + math.sqrt(0.5)), 0.0]), atol=0.02, rtol=0)
