import itertools

import pytest
import torch
from torch.optim import lr_scheduler

from goodfit.schedules import SCHEDULES, Cosine, CosineRestarts, CosLog4, OneCycle, Step, WarmupCosine

TOTALS = (1, 2, 3, 10, 997)


def built(kind):
    return SCHEDULES.build(SCHEDULES[kind].options())


def multipliers(schedule, total):
    return [schedule.multiplier(step, total) for step in range(total)]


def as_torch(make, total):
    """The multipliers that a torch scheduler gives over `total` steps, for a base learning rate of 1."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = make(optimizer)
    rates = [optimizer.param_groups[0]["lr"]]
    for _ in range(total - 1):  # OneCycleLR refuses to be asked for more rates than there are steps
        optimizer.step()
        scheduler.step()
        rates.append(optimizer.param_groups[0]["lr"])
    return rates


@pytest.mark.parametrize("total", TOTALS)
@pytest.mark.parametrize("kind", SCHEDULES)
def test_multipliers_are_shares_of_the_base(kind, total):
    values = multipliers(built(kind), total)
    assert len(values) == total
    assert all(0 <= value <= 1 for value in values)
    assert max(values) > 0


@pytest.mark.parametrize("kind", SCHEDULES)
def test_a_multiplier_is_a_pure_function(kind):
    schedule = built(kind)
    forwards = multipliers(schedule, 20)
    assert [schedule.multiplier(step, 20) for step in reversed(range(20))] == forwards[::-1]


def test_coslog4_has_four_waves_each_twice_as_long():
    values = multipliers(CosLog4(), 14_999)
    lows = [step for step in range(1, 14_998) if values[step] < min(values[step - 1], values[step + 1])]
    assert [(step + 1) / 15_000 for step in lows] == pytest.approx([1 / 15, 3 / 15, 7 / 15], abs=1e-3)
    assert max(values[i] for i in (0, -1, *lows)) < 1e-4
    tops = [max(values[a:b]) for a, b in itertools.pairwise([0, *lows, 14_999])]
    assert tops == pytest.approx([1] * 4, abs=1e-4)


def test_constant():
    assert multipliers(built("constant"), 5) == [1.0] * 5


def test_cosine_is_that_of_torch():
    ours = multipliers(Cosine(final=0.1), 50)
    theirs = as_torch(lambda o: lr_scheduler.CosineAnnealingLR(o, T_max=50, eta_min=0.1), 50)
    assert ours == pytest.approx(theirs, rel=1e-6)


def test_restarts_are_those_of_torch():
    ours = multipliers(CosineRestarts(final=0.1), 105)
    theirs = as_torch(lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, T_0=15, T_mult=2, eta_min=0.1), 105)
    assert ours == pytest.approx(theirs, rel=1e-6)


def test_one_wave_is_cosine():
    assert multipliers(CosineRestarts(cycles=1), 30) == pytest.approx(multipliers(Cosine(), 30))


@pytest.mark.parametrize(
    ("options", "total", "ends"),
    [
        ({}, 105, [15, 45, 105]),
        ({}, 1050, [150, 450, 1050]),
        ({"cycles": 4, "growth": 1.0}, 10, [2, 5, 8, 10]),
        ({}, 2, [1, 2]),
        ({"cycles": 100, "growth": 10.0}, 40, [4, 40]),
        ({}, 1, [1]),
    ],
)
def test_cycles_end_where_the_rate_jumps(options, total, ends):
    schedule = CosineRestarts(**options)
    assert list(schedule.cycle_ends(total)) == ends
    rates = multipliers(schedule, total)
    jumps = [step for step in range(1, total) if rates[step] > rates[step - 1]]
    assert set(jumps) <= set(ends[:-1])
    assert all(rates[end] == 1.0 for end in ends[:-1])


@pytest.mark.parametrize("kind", [kind for kind in SCHEDULES if kind != "cosine_restarts"])
def test_others_have_no_cycles(kind):
    assert list(built(kind).cycle_ends(100)) == []


def test_step_is_that_of_torch():
    ours = multipliers(Step(drops=3, factor=0.5), 40)
    theirs = as_torch(lambda o: lr_scheduler.StepLR(o, step_size=10, gamma=0.5), 40)
    assert ours == pytest.approx(theirs)


@pytest.mark.parametrize("total", [10, 100, 333])
def test_one_cycle_is_that_of_torch(total):
    theirs = as_torch(lambda o: lr_scheduler.OneCycleLR(o, max_lr=1.0, total_steps=total, div_factor=25.0), total)
    assert multipliers(OneCycle(), total) == pytest.approx(theirs, rel=1e-5, abs=1e-9)


def test_warmup_then_cosine_is_torch_s_pair_in_sequence():
    def pair(optimizer):
        rise = lr_scheduler.LambdaLR(optimizer, lambda step: (step + 1) / 11)
        fall = lr_scheduler.CosineAnnealingLR(optimizer, T_max=90)
        return lr_scheduler.SequentialLR(optimizer, [rise, fall], milestones=[10])

    ours = multipliers(WarmupCosine(warmup=0.1), 100)
    assert ours == pytest.approx(as_torch(pair, 100))


def test_no_warmup_is_cosine():
    assert multipliers(WarmupCosine(warmup=0.0), 30) == multipliers(Cosine(), 30)
