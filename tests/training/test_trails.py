"""Averages and slow weights, held against the weights of every step and the formulas of their papers."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from goodfit.training import Candidate, Recipe, TrainingData, fit
from goodfit.training.population.group import Group
from goodfit.training.population.judging import plain_losses
from goodfit.training.population.rows import RowStore
from goodfit.training.population.shown import Networks, Shown
from goodfit.training.population.stack import Stack
from goodfit.training.start import started

Made = Callable[..., tuple[Recipe, TrainingData]]
STEPS = 10
"""Of an epoch of 300 rows in batches of 32."""


def group(make: Made, *settings: dict[str, Any], **changes: Any) -> Group:
    """A stack of members that differ in what is beside the weights."""
    found, data = [], None
    for number, regularization in enumerate(settings):
        recipe, rows = make(regularization=regularization, **changes)
        data = data or rows
        found.append(started(Candidate(number, recipe, seed=5, data=data)))
    return Group(found, *RowStore().prepared(found[0]))


def walked(group: Group, monkeypatch: pytest.MonkeyPatch, epochs: int = 4) -> Tensor:
    """Train, and return the weights after each step of the optimizer, before anything follows: [steps, k, p]."""
    taken: list[Tensor] = []
    step = Stack.step

    def noted(self: Stack, *arguments: Any) -> None:
        step(self, *arguments)
        taken.append(self.weights.clone())

    monkeypatch.setattr(Stack, "step", noted)
    for _ in range(1, epochs + 1):
        group.epoch()
    assert len(taken) == epochs * STEPS
    return torch.stack(taken)


def kept_weights(group: Group, row: int, place: int = 0) -> Tensor:
    """The kept numbers of one network of a member, in the order of the stack."""
    state = group.kept.of(row)[place]
    return torch.cat([state[name].flatten() for name in group.stack.layout])


def trail(group: Group, kind: str, row: int = 0) -> Tensor:
    return group.trails.members[row].trails[kind]


def first_weights(group: Group) -> Tensor:
    return group.stack.weights.clone()


def test_swa_is_the_mean_of_the_weights_after_the_last_quarter_of_the_epochs(
    make: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = group(make, {"swa": {"enabled": True}}, {}, training={"epochs": 8})
    steps = walked(chosen, monkeypatch, epochs=8)
    averaged = torch.stack([steps[7 * STEPS - 1, 0], steps[8 * STEPS - 1, 0]]).mean(dim=0)
    torch.testing.assert_close(trail(chosen, "swa"), averaged)
    torch.testing.assert_close(kept_weights(chosen, 0), averaged)
    assert torch.equal(kept_weights(chosen, 1), steps[-1, 1])
    assert torch.equal(steps[:, 0], steps[:, 1])  # the mean moves no weight


@pytest.mark.parametrize(("start", "averaged"), [(0.0, 4), (0.5, 2), (0.74, 2), (0.99, 1)])
def test_swa_begins_behind_its_share_of_the_epochs(
    make: Made, monkeypatch: pytest.MonkeyPatch, start: float, averaged: int
) -> None:
    chosen = group(make, {"swa": {"enabled": True, "start": start}}, training={"epochs": 4})
    steps = walked(chosen, monkeypatch)
    last = torch.stack([steps[(4 - back) * STEPS - 1, 0] for back in range(averaged)]).mean(dim=0)
    torch.testing.assert_close(trail(chosen, "swa"), last)


def test_swa_averages_the_ends_of_cycles_where_the_rate_has_them(make: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forty steps are cycles of 6, 11 and 23, which end in the midst of epochs."""
    schedule = {"kind": "cosine_restarts"}
    chosen = group(make, {"swa": {"enabled": True}}, training={"epochs": 4, "schedule": schedule})
    steps = walked(chosen, monkeypatch)
    ends = [6, 17, 40]
    assert list(chosen.standings[0].schedule.cycle_ends(40)) == ends
    averaged = torch.stack([steps[end - 1, 0] for end in ends]).mean(dim=0)
    torch.testing.assert_close(kept_weights(chosen, 0), averaged)


def test_until_there_is_an_average_the_weights_count(make: Made) -> None:
    curves = [
        [epoch.metrics["valid/loss"] for epoch in fit(*made, seed=1, state=None, progress=False).epochs]
        for made in (make(regularization={"swa": {"enabled": True, "start": 0.5}}), make(regularization={}))
    ]
    assert curves[0][:2] == curves[1][:2]
    assert curves[0][2] == curves[1][2]  # the mean of one
    assert curves[0][3] != curves[1][3]


def test_ema_follows_its_formula(make: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = group(make, {"ema": {"decay": 0.8}})
    mean = first_weights(chosen)[0]
    for count, weights in enumerate(walked(chosen, monkeypatch), start=1):
        kept = min(0.8, (1 + count) / (10 + count))
        mean = kept * mean + (1 - kept) * weights[0]
    torch.testing.assert_close(trail(chosen, "ema"), mean)
    torch.testing.assert_close(kept_weights(chosen, 0), mean)


def test_slow_weights_follow_the_formula_and_fast_ones_start_from_them(
    make: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = group(make, {"lookahead": {"enabled": True, "steps": 4, "alpha": 0.7}}, {})
    slow = first_weights(chosen)[0]
    fast = walked(chosen, monkeypatch)
    for number in range(4, 4 * STEPS + 1, 4):
        slow = slow + 0.7 * (fast[number - 1, 0] - slow)
    torch.testing.assert_close(trail(chosen, "lookahead"), slow)
    torch.testing.assert_close(chosen.stack.weights[0], slow)  # 40 steps are ten times four
    assert torch.equal(fast[:4, 0], fast[:4, 1])
    assert not torch.equal(fast[4, 0], fast[4, 1])


def test_the_whole_way_at_every_step_is_no_lookahead(make: Made) -> None:
    chosen = group(make, {"lookahead": {"enabled": True, "steps": 1, "alpha": 1.0}}, {})
    for _ in (1, 2):
        chosen.epoch()
    assert torch.equal(chosen.stack.weights[0], chosen.stack.weights[1])
    assert torch.equal(kept_weights(chosen, 0), kept_weights(chosen, 1))


def test_an_average_is_what_lookahead_is_judged_by_where_there_is_one(make: Made) -> None:
    chosen = group(make, {"lookahead": {"enabled": True}, "ema": {"decay": 0.5}}, {"lookahead": {"enabled": True}})
    chosen.epoch()
    assert torch.equal(kept_weights(chosen, 0), trail(chosen, "ema"))
    assert torch.equal(kept_weights(chosen, 1), trail(chosen, "lookahead", 1))


def test_what_is_judged_is_what_is_kept(make: Made) -> None:
    """The valid loss of the best epoch is that of the weights and statistics that come out."""
    regularization = {"ema": {"decay": 0.9}, "batch_norm": {"enabled": True}, "early_stopping": {"patience": 50}}
    recipe, data = make(regularization=regularization, training={"epochs": 5})
    found = fit(recipe, data, seed=1, state=None, progress=False)
    standing = started(Candidate(0, recipe, seed=1, data=data))
    standing.member.model.load_state_dict(found.model.state_dict())
    again = Group([standing], *RowStore().prepared(standing))
    present = Shown([Networks(again.stack.parameters, again.program.network.buffers)], [1])
    loss = plain_losses(again.program.network, again.program.member.task, present, again.valid_rows)
    assert float(loss) == pytest.approx(found.valid_loss, abs=1e-7)


def test_running_statistics_are_those_of_the_mean(make: Made) -> None:
    chosen = group(make, {"ema": {"decay": 0.9}, "batch_norm": {"enabled": True}}, {"batch_norm": {"enabled": True}})
    for _ in (1, 2):
        chosen.epoch()
    (kept,) = chosen.kept.of(0)
    rows = chosen.train_rows.numeric @ kept["body.0.weight"].T
    torch.testing.assert_close(kept["body.1.running_mean"], rows.mean(dim=0), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(kept["body.1.running_var"], rows.var(dim=0), atol=1e-5, rtol=1e-4)
    (own,), present = chosen.kept.of(1), chosen.stack.buffers
    assert torch.equal(own["body.1.running_mean"], present["body.1.running_mean"][1])
    assert not torch.equal(kept["body.1.running_mean"], present["body.1.running_mean"][0])
    assert not torch.equal(kept["body.4.running_var"], present["body.4.running_var"][0])


def test_singular_vectors_are_those_of_the_mean(make: Made) -> None:
    """To 1 %, as power iterations go; those of the present weights would be 3.5 % off."""
    chosen = group(make, {"ema": {"decay": 0.97}, "spectral_norm": {"norm": 1.0}}, training={"epochs": 4})
    for _ in (1, 2):
        chosen.epoch()
    (kept,) = chosen.kept.of(0)
    checked = 0
    for name in chosen.stack.layout:
        if name.startswith("body") and name.endswith("linear.weight"):
            checked += 1
            place = name.removesuffix(".linear.weight")
            found = kept[f"{place}.left"] @ kept[name] @ kept[f"{place}.right"]
            assert float(found) == pytest.approx(float(torch.linalg.matrix_norm(kept[name], 2)), rel=1e-2)
    assert checked == 2


def test_members_with_and_without_trails_share_a_stack(make: Made) -> None:
    settings = [{"swa": {"enabled": True, "start": 0.2}}, {}, {"ema": {"decay": 0.9}}, {"lookahead": {"enabled": True}}]
    settings = [{**one, "batch_norm": {"enabled": True}, "dropout": {"p": 0.1}} for one in settings]
    together = group(make, *settings)
    for _ in range(1, 5):
        together.epoch()
    for standing in together.standings:
        recipe = standing.candidate.recipe
        alone = fit(recipe, standing.candidate.data, seed=5, state=None, progress=False)
        expected = torch.tensor([list(epoch.metrics.values()) for epoch in alone.epochs])
        found = torch.tensor([list(epoch.metrics.values()) for epoch in standing.history.epochs])
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


def test_who_leaves_takes_no_trail_of_another(make: Made) -> None:
    chosen = group(make, *({"ema": {"decay": decay}} for decay in (0.3, 0.9, 0.99)))
    chosen.epoch()
    before = [trail(chosen, "ema", row).clone() for row in range(3)]
    chosen.keep([2, 0])
    assert [torch.equal(trail(chosen, "ema", row), before[old]) for row, old in ((0, 2), (1, 0))] == [True, True]
    recipe = chosen.standings[1].candidate.recipe
    chosen.epoch()
    alone = fit(
        replace(recipe, training=recipe.training.model_copy(update={"epochs": 4})),
        chosen.standings[1].candidate.data, seed=5, state=None, progress=False,
    )  # fmt: skip
    found = chosen.standings[1].history.losses
    assert found == pytest.approx([epoch.metrics["valid/loss"] for epoch in alone.epochs][:2], abs=1e-5)


def test_only_one_average_can_be_asked_for(make: Made) -> None:
    with pytest.raises(Exception, match="ema and swa are active together"):
        make(regularization={"swa": {"enabled": True}, "ema": {"decay": 0.9}})
