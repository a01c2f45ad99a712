"""What regularizers put into and around hidden layers does what its paper says."""

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state
from torch.nn import functional

from goodfit.models import MODELS, Inputs
from goodfit.regularizers import Regularization, RegularizationSection, applicability_faults
from goodfit.regularizers.group_norm import GroupNorm
from goodfit.regularizers.normalizing import RowNorm
from goodfit.regularizers.shake_drop import ShakeDropGate
from goodfit.regularizers.shake_shake import ShakeShakeBranches
from goodfit.regularizers.shortcut import Shortcut
from goodfit.regularizers.spectral_norm import SpectralNormMap
from goodfit.regularizers.stochastic_depth import DepthGate

SKIP = {"skip_connections": {"enabled": True}}
NONE = torch.zeros(64, 0, dtype=torch.int64)


def built(settings: dict[str, Any], **options: Any) -> Any:
    torch.manual_seed(0)
    regularization = Regularization(RegularizationSection.model_validate(settings))
    return MODELS.build(MODELS["mlp"].options(**options), Inputs(4, ()), 1, regularization)


def names(modules: Sequence[nn.Module]) -> list[str]:
    return [type(module).__name__ for module in modules]


def refusal(settings: dict[str, Any]) -> str:
    with pytest.raises(ValueError) as error:
        RegularizationSection.model_validate(settings)
    return str(error.value)


def faults(settings: dict[str, Any], widths: list[int]) -> list[str]:
    section = RegularizationSection.model_validate(settings)
    return [str(fault) for fault in applicability_faults(section, "mlp", "binary", True, widths)]


# Skip connections


def test_layers_of_equal_width_have_a_path_around_them() -> None:
    model = built(SKIP, widths=[8, 8, 6, 6])
    assert names(model.body) == ["Linear", "ReLU", "Shortcut", "Linear", "ReLU", "Shortcut"]
    rows = torch.randn(64, 4)
    hidden = model.body[:2](rows)
    branch = model.body[2].branch
    torch.testing.assert_close(model.body[:3](rows), hidden + torch.relu(branch[0](hidden)))


def test_paths_go_around_everything_in_a_layer() -> None:
    model = built(SKIP | {"dropout": {"p": 0.5}, "batch_norm": {"enabled": True}}, layers=2, width=8)
    assert names(model.body[4].branch) == ["Linear", "BatchNormLayer", "ReLU", "DropoutLayer"]


def test_an_input_as_wide_as_the_first_layer_gets_no_path() -> None:
    assert names(built(SKIP, widths=[4, 4]).body) == ["Linear", "ReLU", "Shortcut"]


def test_paths_that_cannot_be_are_refused() -> None:
    assert faults(SKIP, [8, 8]) == []
    (found,) = faults(SKIP, [8, 6])
    assert found.startswith("params.yaml: regularization.skip_connections.enabled: no hidden layer is as wide")


@pytest.mark.parametrize("kind", ["shake_shake", "shake_drop", "stochastic_depth"])
def test_what_acts_on_branches_needs_branches(kind: str) -> None:
    on = {"enabled": True} if kind == "shake_shake" else {"p": 0.5}
    assert f"{kind} acts through skip_connections, which is off" in refusal({kind: on})
    RegularizationSection.model_validate({kind: on} | SKIP)


def test_two_of_a_kind_are_refused_by_both_names() -> None:
    message = refusal(SKIP | {"shake_shake": {"enabled": True}, "shake_drop": {"p": 0.5}})
    assert "shake_drop and shake_shake are active together" in message


# Shake-shake


class Times(nn.Module):
    stacks = True

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, values: Tensor) -> Tensor:
        return values * self.factor


@pytest.mark.parametrize("update", ["even-even", "even-shake", "shake-even", "shake-keep", "shake-shake"])
def test_shake_shake_weighs_the_branches_of_each_row_with_weights_that_add_up_to_one(update: Any) -> None:
    torch.manual_seed(0)
    values = torch.ones(20_000, 3, requires_grad=True)
    branches = ShakeShakeBranches(Times(1.0), Times(0.0), update)
    mixed = branches(values)
    mixed.sum().backward()
    gradient = values.grad
    assert gradient is not None
    forward = mixed[:, 0].detach()
    assert torch.equal(mixed.detach(), forward[:, None].expand(-1, 3)), "one weight for a whole row"
    both = ShakeShakeBranches(Times(1.0), Times(1.0), update)(values)
    torch.testing.assert_close(both, torch.ones(20_000, 3))
    for weights, shakes in ((forward, "shake-" in update), (gradient[:, 0], not update.endswith("even"))):
        assert float(weights.mean()) == pytest.approx(0.5, abs=0.01)
        assert float(weights.var()) == pytest.approx(1 / 12 if shakes else 0, abs=0.002)
    together = float(torch.corrcoef(torch.stack([forward, gradient[:, 0]]))[0, 1])
    if update == "shake-keep":
        torch.testing.assert_close(forward, gradient[:, 0])
    elif update == "shake-shake":
        assert abs(together) < 0.03, "the two passes draw apart"
    torch.testing.assert_close(branches.eval()(values), values / 2)


def test_branches_have_weights_of_their_own() -> None:
    model = built(SKIP | {"shake_shake": {"enabled": True}}, layers=2, width=8)
    (both,) = model.body[2].branch
    assert not torch.equal(both.first[0].weight, both.second[0].weight)


# ShakeDrop and stochastic depth


@pytest.mark.parametrize("update", ["even-even", "even-shake", "shake-even", "shake-keep", "shake-shake"])
@pytest.mark.parametrize("p", [0.0, 0.4, 1.0])
def test_shake_drop_predicts_by_the_mean_of_what_training_does(p: float, update: Any) -> None:
    torch.manual_seed(0)
    gate = ShakeDropGate(p, update)
    values = torch.ones(100_000, 2)
    trained, predicted = gate(values), gate.eval()(values)
    assert float(trained.mean()) == pytest.approx(float(predicted.mean()), abs=0.01)
    expected = 1 - p * (1.0 if update.startswith("shake") else 0.5)
    assert float(predicted.mean()) == pytest.approx(expected, abs=1e-6)
    assert float((trained == 1).float().mean()) == pytest.approx(1 - p, abs=0.01)
    assert trained.abs().max() <= 1


def test_the_backward_pass_of_shake_drop_draws_apart_from_0_to_1() -> None:
    torch.manual_seed(0)
    values = torch.ones(50_000, 1, requires_grad=True)
    shaken = ShakeDropGate(1.0, "shake-shake")(values)
    shaken.sum().backward()
    assert values.grad is not None
    assert shaken.min() < -0.9
    assert values.grad.min() >= 0
    assert float(values.grad.mean()) == pytest.approx(0.5, abs=0.01)
    assert abs(float(torch.corrcoef(torch.cat([shaken.detach(), values.grad], dim=1).T)[0, 1])) < 0.03


@pytest.mark.parametrize("p", [0.0, 0.3])
def test_stochastic_depth_drops_whole_rows_and_keeps_the_mean(p: float) -> None:
    torch.manual_seed(0)
    gate = DepthGate(p)
    out = gate(torch.ones(50_000, 3))
    assert torch.equal(out[:, 0], out[:, 2])
    assert float((out == 0).float().mean()) == pytest.approx(p, abs=0.01)
    assert float(out.mean()) == pytest.approx(1, abs=0.01)
    values = torch.randn(5, 3)
    assert gate.eval()(values) is values


@pytest.mark.parametrize("kind", ["shake_drop", "stochastic_depth"])
def test_the_probability_rises_with_depth(kind: str) -> None:
    model = built(SKIP | {kind: {"p": 0.6}}, layers=4, width=8)
    gates = [module.branch[-1] for module in model.body if isinstance(module, Shortcut)]
    assert [float(gate.p) for gate in gates] == pytest.approx([0.2, 0.4, 0.6])


# Norms


def test_layer_and_group_norm_are_those_of_torch() -> None:
    torch.manual_seed(0)
    values = torch.randn(32, 12) * 3 + 1
    torch.testing.assert_close(RowNorm(12, 1, 1e-5)(values), nn.LayerNorm(12)(values))
    torch.testing.assert_close(RowNorm(12, 4, 1e-5)(values), nn.GroupNorm(4, 12)(values))


def test_a_norm_stands_before_the_activation() -> None:
    for settings in ({"layer_norm": {"enabled": True}}, {"group_norm": {"groups": 2}}):
        assert names(built(settings, layers=2, width=8).body) == ["Linear", "RowNorm", "ReLU"] * 2


@pytest.mark.parametrize(("groups", "widths"), [(3, [6, 8]), (4, [4]), (9, [6])])
def test_unequal_groups_are_refused(groups: int, widths: list[int]) -> None:
    (found,) = faults({"group_norm": {"groups": groups}}, widths)
    assert "regularization.group_norm.groups: must make equal groups of at least two features" in found
    assert GroupNorm(groups=2).width_faults([8, 4]) == []


@pytest.mark.parametrize("norm", [0.5, 1.0, 3.0])
def test_spectral_norm_stretches_no_difference_by_more_than_its_norm(norm: float) -> None:
    model = built({"spectral_norm": {"norm": norm}}, layers=2, width=16)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    rows = torch.randn(64, 4)
    for _ in range(60):
        optimizer.zero_grad()
        (model(rows, NONE) - rows[:, :1]).square().mean().backward()
        optimizer.step()
    maps = [module for module in model.eval().modules() if isinstance(module, SpectralNormMap)]
    assert len(maps) == 2
    for one in maps:
        whole = (one(torch.eye(one.linear.in_features)) - one.linear.bias).detach()
        assert float(torch.linalg.matrix_norm(whole, ord=2)) == pytest.approx(norm, rel=0.01)


def test_spectral_norm_counts_the_gain_of_a_map() -> None:
    model = built({"spectral_norm": {"norm": 2.0}}, layers=2, width=16, parametrization="ntk").eval()
    maps = [module for module in model.modules() if isinstance(module, SpectralNormMap)]
    assert len(maps) == 2
    for one in maps:
        whole = (one(torch.eye(one.linear.in_features)) - one.linear.bias).detach()
        assert float(torch.linalg.matrix_norm(whole, ord=2)) == pytest.approx(2.0, rel=0.05)


def test_spectral_norm_differentiates_through_the_norm() -> None:
    torch.manual_seed(0)
    one = SpectralNormMap(nn.Linear(5, 7), 1.0).double().eval()
    for _ in range(200):
        one._follow(one.linear.weight.detach())
    rows, weight = torch.randn(3, 5, dtype=torch.float64), one.linear.weight

    def of(matrix: Tensor) -> Tensor:
        return functional.linear(rows, matrix / torch.linalg.matrix_norm(matrix, ord=2), one.linear.bias)

    torch.testing.assert_close(one(rows), of(weight))
    ours, theirs = (torch.autograd.grad(out.square().sum(), weight)[0] for out in (one(rows), of(weight)))
    torch.testing.assert_close(ours, theirs)


# Stacks


@pytest.mark.parametrize(
    "settings",
    [
        SKIP,
        SKIP | {"shake_shake": {"enabled": True, "update": "shake-shake"}},
        SKIP | {"shake_drop": {"p": 0.5}},
        SKIP | {"stochastic_depth": {"p": 0.5}},
        {"layer_norm": {"enabled": True}},
        {"group_norm": {"groups": 4}},
        {"spectral_norm": {"norm": 1.0}},
    ],
    ids=lambda settings: next(reversed(settings)),
)
def test_every_module_takes_a_stack(settings: dict[str, Any]) -> None:
    members = [built(settings, layers=3, width=8).eval() for _ in range(3)]
    with torch.no_grad():
        for number, member in enumerate(members):
            for parameter in member.parameters():
                parameter.mul_(1 + 0.1 * number).add_(0.1 * number)
    parameters, buffers = stack_module_state(members)
    floats = {name: buffer for name, buffer in buffers.items() if buffer.dtype != torch.int64}
    rows = torch.randn(3, 64, 4)
    together = functional_call(members[0], (parameters, floats), (rows, NONE.expand(3, 64, 0)))
    alone = torch.stack([member(rows[i], NONE) for i, member in enumerate(members)])
    torch.testing.assert_close(together, alone)
    shared = functional_call(members[0], (parameters, floats), (rows[0], NONE))
    torch.testing.assert_close(shared, torch.stack([member(rows[0], NONE) for member in members]))
