"""The hook on the batch and the hook on its losses, through members that are written for these tests alone."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from goodfit.regularizers import Regularizer, Rows
from goodfit.regularizers.noise import along, uniform
from goodfit.training import Candidate, Recipe, TrainingData
from goodfit.training.population.group import Group
from goodfit.training.population.rows import RowStore
from goodfit.training.start import started

Made = Callable[..., tuple[Recipe, TrainingData]]


class Mixer(Regularizer):
    """Exchange each feature with that of another row with probability `share`, the columns of one feature together."""

    def __init__(self, share: float, stacks: bool = True) -> None:
        super().__init__()
        self.stacks = stacks  # type: ignore[misc]
        self.seen: list[Rows] = []
        self.register_strength("share", share)

    @property
    def active(self) -> bool:
        return True

    def batch(self, rows: Rows, target: Tensor, classes: int) -> tuple[Rows, Tensor]:
        self.seen.append(rows)
        order = uniform(rows.numeric[..., 0]).argsort(dim=-1)
        by_feature = uniform(rows.numeric[..., :1].expand(*rows.numeric.shape[:-1], rows.layout.features))
        swapped = by_feature < along(self.share, by_feature)
        other = torch.take_along_dim(rows.numeric, order[..., None], dim=-2)
        numeric = torch.where(rows.numeric_of(swapped), other, rows.numeric)
        codes = torch.take_along_dim(rows.categorical, order[..., None], dim=-2)
        mixed = torch.where(rows.categorical_of(swapped), codes, rows.categorical)
        return replace(rows, numeric=numeric, categorical=mixed), target


class Twice(Regularizer):
    """Every loss times `factor`."""

    stacks = True

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.register_strength("factor", factor)

    @property
    def active(self) -> bool:
        return True

    def row_losses(self, losses: Tensor, logits: Tensor, target: Tensor, classes: int) -> Tensor:
        assert logits.shape[:-1] == losses.shape
        return losses * along(self.factor, losses).to(losses.dtype)


def group(make: Made, members: Sequence[Regularizer], target: str = "churn", **model: Any) -> Group:
    """A stack of members with one regularizer each."""
    recipe, data = make(target=target, regularization={}, model={"kind": "mlp", "width": 8, **model})
    standings = [started(Candidate(number, recipe, seed=number, data=data)) for number in range(len(members))]
    for standing, member in zip(standings, members, strict=True):
        standing.member.regularization.members["mine"] = member
    return Group(standings, *RowStore().prepared(standings[0]))


def curve(group: Group, epochs: int = 3) -> Tensor:
    for _ in range(epochs):
        group.epoch()
    metrics = [[list(e.metrics.values()) for e in standing.history.epochs] for standing in group.standings]
    return torch.tensor(metrics)


@pytest.mark.parametrize("max_one_hot", [9, 0], ids=["one-hot", "embedded"])
@pytest.mark.parametrize("stacks", [True, False], ids=["stacked", "vmapped"])
@pytest.mark.parametrize("target", ["churn", "level", "price"])
def test_members_change_their_batches_as_alone(make: Made, target: str, stacks: bool, max_one_hot: int) -> None:
    shares = [0.0, 0.2, 0.7]
    together = curve(group(make, [Mixer(s, stacks) for s in shares], target, max_one_hot=max_one_hot))
    plain = group(make, [Mixer(s, stacks) for s in shares], target, max_one_hot=max_one_hot)
    for standing in plain.standings:
        del standing.member.regularization.members["mine"]
    plain = Group(plain.standings, plain.train_rows, plain.valid_rows)
    assert torch.equal(together[0], curve(plain)[0])
    assert not torch.equal(together[1:, :, 1], curve(plain)[1:, :, 1])
    first = group(make, [Mixer(shares[0], stacks), Mixer(shares[1], stacks)], target, max_one_hot=max_one_hot)
    torch.testing.assert_close(curve(first)[1], together[1], rtol=0, atol=1e-5)


def test_the_columns_of_a_feature_stay_together(make: Made) -> None:
    chosen = group(make, [Mixer(0.5)])
    batch = chosen.train_rows.take_each(torch.arange(64)[None])
    changed = chosen.program.hooks.batch(batch, {})
    layout = chosen.standings[0].member.layout
    assert layout.numeric == (0, 1, 2, 3, 4, 4, 4, 4, 4)
    assert layout.measured == (True,) * 4 + (False,) * 5
    assert (layout.categorical, layout.features) == ((), 5)
    assert not torch.equal(changed.numeric, batch.numeric)
    assert torch.equal(changed.numeric[..., 4:].sum(dim=-1), torch.ones(1, 64))


def test_embedded_features_have_numbers_of_their_own(make: Made) -> None:
    layout = group(make, [Mixer(0.5)], max_one_hot=0).standings[0].member.layout
    assert (layout.numeric, layout.categorical, layout.features) == ((0, 1, 2, 3), (4,), 5)


def test_rows_that_were_too_many_to_prepare_are_prepared_before_the_hook(
    make: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = curve(group(make, [Mixer(0.5)]))
    monkeypatch.setattr("goodfit.training.member.PREPARED_BYTES", 0)
    late = group(make, [Mixer(0.5)])
    assert late.train_rows.numeric.shape[1] == 4
    torch.testing.assert_close(curve(late), ready, rtol=0, atol=1e-6)


def test_losses_of_rows_are_changed_member_by_member(make: Made) -> None:
    curves = curve(group(make, [Twice(1.0), Twice(3.0)]), epochs=1)
    plain = curve(group(make, [Twice(1.0), Twice(1.0)]), epochs=1)
    assert torch.equal(curves[0], plain[0])
    assert float(curves[1, 0, 2] / plain[1, 0, 2]) == pytest.approx(3, rel=0.2)
    assert not torch.equal(curves[1], plain[1])
