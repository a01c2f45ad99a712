import pytest
import torch
from torch import nn

from goodfit.optimizers import OPTIMIZERS, SGD, RMSprop

TORCH = {
    "adam": lambda p: torch.optim.Adam(p, lr=0.01, foreach=False),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.01, foreach=False, weight_decay=0),
    "nadam": lambda p: torch.optim.NAdam(p, lr=0.01, foreach=False),
    "radam": lambda p: torch.optim.RAdam(p, lr=0.01, foreach=False),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.01, foreach=False),
    "sgd": lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9, nesterov=True, foreach=False),
}


def net():
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))


def trained(model, optimizer, steps=20):
    torch.manual_seed(4)
    rows, target = torch.randn(64, 4), torch.randn(64, 1)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = (model(rows) - target).square().mean()
        loss.backward()
        optimizer.step()
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


def built(kind, groups, **options):
    return OPTIMIZERS.build(OPTIMIZERS[kind].options(**options)).build(groups)


def with_decay(model, decay):
    weights = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim == 1]
    return [{"params": weights, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_a_step_is_that_of_the_plain_loop_in_torch(kind):
    ours, theirs = net(), net()
    first = trained(ours, built(kind, [{"params": list(ours.parameters())}], lr=0.01))
    second = trained(theirs, TORCH[kind](theirs.parameters()))
    torch.testing.assert_close(first, second, rtol=1e-4, atol=1e-6)
    assert (first - torch.cat([p.detach().flatten() for p in net().parameters()])).abs().max() > 1e-3


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_no_decay_is_bit_equal_to_zero_decay(kind):
    without, zero = net(), net()
    first = trained(without, built(kind, [{"params": list(without.parameters())}]))
    second = trained(zero, built(kind, [{"params": list(zero.parameters()), "weight_decay": 0.0}]))
    assert torch.equal(first, second)


@pytest.mark.parametrize("kind", [kind for kind in OPTIMIZERS if OPTIMIZERS[kind].facts["decoupled"]])
def test_decoupled_decay_shrinks_weights_that_have_no_gradient_by_rate_times_decay(kind):
    weight, bias = nn.Parameter(torch.ones(3, 3)), nn.Parameter(torch.ones(3))
    groups = [{"params": [weight], "weight_decay": 0.5}, {"params": [bias], "weight_decay": 0.0}]
    optimizer = built(kind, groups, lr=0.1)
    weight.grad, bias.grad = torch.zeros(3, 3), torch.zeros(3)
    optimizer.step()
    optimizer.step()
    torch.testing.assert_close(weight.detach(), torch.full((3, 3), 0.95**2))
    torch.testing.assert_close(bias.detach(), torch.ones(3))


def test_coupled_decay_goes_through_the_gradient():
    weight = nn.Parameter(torch.ones(3, 3))
    optimizer = built("adam", [{"params": [weight], "weight_decay": 0.5}], lr=0.1)
    weight.grad = torch.zeros(3, 3)
    optimizer.step()
    torch.testing.assert_close(weight.detach(), torch.full((3, 3), 0.9))  # a whole unit step, whatever the decay


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_resuming_from_a_state_dict_is_bit_equal(kind):
    whole, parts = net(), net()
    straight = built(kind, with_decay(whole, 0.1))
    trained(whole, straight, 10)
    expected = trained(whole, straight, 10)
    before = built(kind, with_decay(parts, 0.1))
    trained(parts, before, 10)
    after = built(kind, with_decay(parts, 0.1))
    after.load_state_dict(before.state_dict())
    assert torch.equal(trained(parts, after, 10), expected)


@pytest.mark.parametrize("kind", ["sgd", "rmsprop"])
def test_groups_keep_their_decay_after_a_step(kind):
    model = net()
    optimizer = built(kind, with_decay(model, 0.1))
    trained(model, optimizer, 3)
    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.1, 0.0]


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_a_schedule_may_set_the_rate_of_each_group(kind):
    model = net()
    optimizer = built(kind, with_decay(model, 0.1))
    for group in optimizer.param_groups:
        group["lr"] = 0.0
    before = torch.cat([p.detach().flatten() for p in net().parameters()])
    torch.testing.assert_close(trained(model, optimizer, 3), before)


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_a_parameter_without_gradient_stays(kind):
    used, unused = nn.Parameter(torch.ones(2, 2)), nn.Parameter(torch.ones(2, 2))
    optimizer = built(kind, [{"params": [used, unused], "weight_decay": 0.5}], lr=0.1)
    used.grad = torch.ones(2, 2)
    optimizer.step()
    assert torch.equal(unused.detach(), torch.ones(2, 2))
    assert not torch.equal(used.detach(), torch.ones(2, 2))


def test_without_momentum_there_is_nothing_to_look_ahead_along():
    assert SGD(momentum=0.0).nesterov is False
    SGD(momentum=0.0).build([{"params": [nn.Parameter(torch.ones(1))]}])
    assert RMSprop(momentum=0.5).momentum == 0.5


def test_the_fused_kernel_is_used_where_there_is_one():
    parameters = [nn.Parameter(torch.ones(2))]
    assert {kind: bool(built(kind, [{"params": parameters}]).defaults.get("fused")) for kind in OPTIMIZERS} == {
        "adam": True,
        "adamw": True,
        "nadam": False,
        "radam": False,
        "rmsprop": False,
        "sgd": True,
    }
