"""What regularizers do to a batch and to the losses of its rows is what their papers say."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor
from torch.nn import functional

from goodfit.errors import ConfigurationError
from goodfit.preprocessing import Layout
from goodfit.regularizers import (
    ClassWeights,
    CutMix,
    Cutout,
    Focal,
    InputNoise,
    Mixup,
    RDrop,
    RegularizationSection,
    Regularizer,
    Rows,
)
from goodfit.regularizers.pairing import symmetric_beta
from goodfit.regularizers.r_drop import divergence
from goodfit.tasks import task_named

LAYOUT = Layout((0, 0, 1, 2, 2, 2), (3, 4), (True, False, True, False, False, False))
"""A number with a missing flag, a number, a category of three one-hot levels; two embedded categories."""
AUGMENTATIONS: list[Regularizer] = [Mixup(alpha=0.5), CutMix(probability=0.7), Cutout(probability=0.7, ratio=0.4)]


def rows(n: int = 4000, seed: int = 0) -> Rows:
    random = torch.Generator().manual_seed(seed)
    numbers = torch.randn(n, 3, generator=random)
    levels = functional.one_hot(torch.randint(0, 3, (n,), generator=random), 3).float()
    flags = (numbers[:, 1:2] > 1).float()
    numeric = torch.cat([numbers[:, :1], flags, numbers[:, 2:], levels], dim=1)
    return Rows(numeric, torch.randint(2, 9, (n, 2), generator=random), LAYOUT)


def number(rows: Rows) -> Tensor:
    """A number per row that is linear in its one numeric feature, as a target."""
    return 3 * rows.numeric[:, 2]


# Mixup


@pytest.mark.parametrize("alpha", [0.05, 0.2, 1.0, 4.0])
def test_parts_are_drawn_from_the_beta_distribution(alpha: float) -> None:
    torch.manual_seed(0)
    drawn = symmetric_beta(torch.tensor(alpha, dtype=torch.float64), torch.empty(20_000)).numpy()
    assert drawn.min() >= 0
    assert drawn.max() <= 1
    # Compared on a scale on which the heaps near 0 and 1 of a small alpha do not fall on one float.
    inner = np.clip(drawn.astype(np.float64), 1e-6, 1 - 1e-6)
    below = [float(np.mean(inner <= edge)) for edge in (0.001, 0.1, 0.3, 0.5, 0.7, 0.9, 0.999)]
    expected = [float(stats.beta.cdf(edge, alpha, alpha)) for edge in (0.001, 0.1, 0.3, 0.5, 0.7, 0.9, 0.999)]
    assert below == pytest.approx(expected, abs=0.015)


def test_the_labels_of_mixup_mix_as_its_rows_do() -> None:
    torch.manual_seed(0)
    before = rows()
    after, mixed = Mixup(alpha=1.0).batch(before, number(before), 0)
    torch.testing.assert_close(number(after), mixed)
    labels = before.numeric[:, 3:].argmax(dim=1)
    after, mixed = Mixup(alpha=1.0).batch(before, labels, 3)
    torch.testing.assert_close(after.numeric[:, 3:], mixed)
    assert float((mixed.amax(dim=1) < 0.999).float().mean()) > 0.5, "most rows of different classes are mixed"


def test_an_embedded_category_of_mixup_is_one_of_the_two() -> None:
    torch.manual_seed(0)
    before = rows()
    before.categorical[:, 0] = torch.arange(4000) % 2 + 5
    after, mixed = Mixup(alpha=1.0).batch(before, before.categorical[:, 0] - 5, 2)
    assert set(after.categorical[:, 0].tolist()) == {5, 6}
    own, partner = mixed[:, 0] == 1, mixed[:, 1] == 1
    assert (after.categorical[own, 0] == 5).all()
    assert (after.categorical[partner, 0] == 6).all()
    between = ~(own | partner)
    expected = float(mixed[between, 1].mean())
    assert float((after.categorical[between, 0] == 6).float().mean()) == pytest.approx(expected, abs=0.04)


# CutMix and cutout


def moved(before: Rows, after: Rows) -> Tensor:
    """Which features of which rows have changed, where every value of a batch is its own."""
    columns = torch.cat([before.numeric != after.numeric, before.categorical != after.categorical], dim=1)
    features = (*LAYOUT.numeric, *LAYOUT.categorical)
    return torch.stack([columns[:, [f == i for f in features]].any(dim=1) for i in range(5)], dim=1)


def distinct(n: int = 4000) -> Rows:
    """Rows of which no two have a value in common, anywhere."""
    column = torch.arange(1, n + 1)
    return Rows(column[:, None].float() * torch.ones(6), column[:, None].expand(n, 2) + 5, LAYOUT)


@pytest.mark.parametrize("probability", [0.3, 1.0])
def test_cutmix_moves_whole_features_and_as_much_of_the_target(probability: float) -> None:
    torch.manual_seed(0)
    before = distinct()
    after, mixed = CutMix(probability=probability).batch(before, before.numeric[:, 0], 0)
    partner = (mixed - before.numeric[:, 0]) / moved(before, after).float().mean(dim=1) + before.numeric[:, 0]
    changed = moved(before, after)
    some = changed.any(dim=1)
    for column, feature in enumerate(LAYOUT.numeric):
        expected = torch.where(changed[:, feature], partner, before.numeric[:, column])
        torch.testing.assert_close(after.numeric[some, column], expected[some], rtol=1e-3, atol=1e-2)
    share = float(changed.float().mean())
    assert share == pytest.approx(probability / 2, abs=0.02)


def test_cutmix_makes_no_impossible_category() -> None:
    torch.manual_seed(0)
    before = rows()
    after, mixed = CutMix(probability=1.0).batch(before, torch.randint(0, 4, (4000,)), 4)
    levels = after.numeric[:, 3:]
    assert torch.equal(levels.sum(dim=1), torch.ones(4000))
    assert set(levels.unique().tolist()) == {0.0, 1.0}
    torch.testing.assert_close(mixed.sum(dim=1), torch.ones(4000))
    assert not torch.equal(levels, before.numeric[:, 3:])


@pytest.mark.parametrize(("probability", "ratio"), [(1.0, 0.2), (1.0, 0.6), (0.5, 0.4)])
def test_cutout_hides_the_stated_share_of_whole_features(probability: float, ratio: float) -> None:
    torch.manual_seed(0)
    before, target = distinct(20_000), torch.arange(20_000)
    after, same = Cutout(probability=probability, ratio=ratio).batch(before, target, 0)
    assert same is target
    hidden = moved(before, after)
    assert float(hidden.float().mean()) == pytest.approx(probability * ratio, abs=0.01)
    untouched = float((~hidden.any(dim=1)).float().mean())
    assert untouched == pytest.approx(1 - probability + probability * (1 - ratio) ** 5, abs=0.01)
    for column, feature in enumerate(LAYOUT.numeric):
        assert (after.numeric[hidden[:, feature], column] == 0).all()
        assert torch.equal(after.numeric[~hidden[:, feature], column], before.numeric[~hidden[:, feature], column])
    assert (after.categorical[hidden[:, 3], 0] == 1).all(), "the unknown level"


# Noise on inputs


@pytest.mark.parametrize("strength", [0.1, 1.5])
def test_noise_falls_on_numbers_alone_with_the_stated_deviation(strength: float) -> None:
    torch.manual_seed(0)
    before = rows(20_000)
    after, _ = InputNoise(strength=strength).batch(before, number(before), 0)
    noise = after.numeric - before.numeric
    numbers = torch.tensor(LAYOUT.measured)
    assert torch.equal(noise[:, ~numbers], torch.zeros(20_000, 4))
    assert after.categorical is before.categorical
    torch.testing.assert_close(noise[:, numbers].std(dim=0), torch.full((2,), strength), rtol=0.03, atol=0)
    assert noise[:, numbers].mean().abs() < 0.03 * strength


# All of them


@pytest.mark.parametrize("member", AUGMENTATIONS, ids=lambda member: type(member).__name__)
@pytest.mark.parametrize("classes", [0, 2, 3])
def test_what_came_in_is_left_alone_and_targets_stay_targets(member: Regularizer, classes: int) -> None:
    torch.manual_seed(0)
    before = rows(500)
    target = torch.randint(0, classes, (500,)) if classes else torch.randn(500)
    copies = before.numeric.clone(), before.categorical.clone(), target.clone()
    after, found = member.batch(before, target, classes)
    for value, copy in zip((before.numeric, before.categorical, target), copies, strict=True):
        assert torch.equal(value, copy)
    assert not torch.equal(after.numeric, before.numeric)
    if found.ndim == 2:
        torch.testing.assert_close(found.sum(dim=1), torch.ones(500))
        again, twice = member.batch(before, found, classes)
        assert twice.shape == found.shape
        assert again.numeric.shape == before.numeric.shape
    else:
        assert found.shape == (500,)


def test_two_augmentations_are_refused_by_both_names() -> None:
    settings = {"mixup": {"alpha": 0.2}, "cutout": {"probability": 0.5}}
    with pytest.raises(ValueError, match="cutout and mixup are active together"):
        RegularizationSection.model_validate(settings)


# Losses of rows


def weighed(member: Regularizer, task: str, classes: int, soft: bool) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    torch.manual_seed(0)
    problem = task_named(task)
    logits, target = torch.randn(200, problem.outputs(classes)), torch.randint(0, classes, (200,))
    shown = functional.one_hot(target, classes).float() if soft else target.to(problem.target_dtype)
    losses = problem.loss(logits, shown)
    return member.row_losses(losses, logits, shown, classes), losses, logits, target


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize(("task", "classes"), [("binary", 2), ("multiclass", 4)])
@pytest.mark.parametrize("gamma", [0.5, 2.0])
def test_focal_loss_is_its_formula(task: str, classes: int, soft: bool, gamma: float) -> None:
    found, losses, logits, target = weighed(Focal(gamma=gamma), task, classes, soft)
    every = task_named(task).predict(logits)
    p = every.gather(1, target[:, None])[:, 0]
    torch.testing.assert_close(found, (1 - p) ** gamma * -p.log())
    torch.testing.assert_close(losses, -p.log())


def test_focal_loss_has_a_slope_where_all_is_certain() -> None:
    logits = torch.tensor([[100.0], [-100.0]], requires_grad=True)
    target = torch.tensor([1.0, 0.0])
    losses = task_named("binary").loss(logits, target)
    Focal(gamma=0.5).row_losses(losses, logits, target, 2).sum().backward()
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize(("task", "classes"), [("binary", 2), ("multiclass", 4)])
def test_balanced_classes_weigh_alike_and_rows_one_on_average(task: str, classes: int, soft: bool) -> None:
    member = ClassWeights(weights="balanced")
    target = torch.cat([torch.full((10 * 3**label,), label) for label in range(classes)])
    member.meet(target, classes)
    found, losses, _, labels = weighed(member, task, classes, soft)
    weights = found / losses
    shares = torch.bincount(target) / len(target)
    torch.testing.assert_close(weights, 1 / (classes * shares)[labels])
    assert float((member.factors * torch.bincount(target)).sum()) == pytest.approx(len(target))


def test_explicit_weights_keep_their_ratios() -> None:
    member = ClassWeights(weights=[1.0, 3.0])
    member.meet(torch.tensor([0.0, 0.0, 0.0, 1.0]), 2)
    assert member.factors.tolist() == pytest.approx([2 / 3, 2.0])
    with pytest.raises(ConfigurationError, match="has 2 weights for 3 classes"):
        member.meet(torch.tensor([0, 1, 2]), 3)


@pytest.mark.parametrize(("task", "classes"), [("binary", 2), ("multiclass", 4), ("regression", 0)])
def test_r_drop_is_its_formula(task: str, classes: int) -> None:
    torch.manual_seed(0)
    problem, member = task_named(task), RDrop(strength=0.8)
    before = rows(50)
    target = torch.randint(0, classes, (50,)).to(problem.target_dtype) if classes else torch.randn(50)
    doubled, targets = member.batch(before, target, classes)
    assert torch.equal(doubled.numeric[:50], doubled.numeric[50:])
    assert torch.equal(targets, torch.cat([target, target]))
    first, second = (torch.randn(50, problem.outputs(classes)) for _ in range(2))
    logits = torch.cat([first, second])
    losses = problem.loss(logits, targets)
    found = member.row_losses(losses, logits, targets, classes).mean()
    if classes:
        p, q = problem.predict(first), problem.predict(second)
        apart = ((p * (p / q).log()).sum(1) + (q * (q / p).log()).sum(1)) / 2
    else:
        apart = (first - second)[:, 0].square()
    torch.testing.assert_close(found, losses.mean() + 0.4 * apart.mean())
    torch.testing.assert_close(divergence(first, second, classes), apart)


def test_r_drop_without_dropout_is_refused() -> None:
    with pytest.raises(ValueError, match="r_drop acts through dropout, which is off"):
        RegularizationSection.model_validate({"r_drop": {"strength": 1.0}})


# Stacks: a strength of its own for every member

ON: dict[str, Callable[[float], Regularizer]] = {
    "mixup": lambda share: Mixup(alpha=share),
    "cutmix": lambda share: CutMix(probability=share),
    "cutout": lambda share: Cutout(probability=share, ratio=share / 2),
    "input_noise": lambda share: InputNoise(strength=share),
    "r_drop": lambda share: RDrop(strength=share),
}


def lent(members: list[Any]) -> Any:
    whole = members[0]
    for name in dict(whole.named_buffers()):
        setattr(whole, name, torch.stack([getattr(member, name) for member in members]))
    return whole


class Replayed:
    """Gives the k-th member the numbers of its own generator, whether it is alone or in a stack."""

    def __init__(self, seeds: list[int]) -> None:
        self.generators = [torch.Generator().manual_seed(seed) for seed in seeds]

    def take(self, kind: str, like: Tensor) -> Tensor:
        draw = torch.rand if kind == "uniform" else torch.randn
        drawn = [draw(like.numel() // len(self.generators), generator=one) for one in self.generators]
        return torch.stack(drawn).view(like.shape)


@pytest.mark.parametrize("kind", ON)
@pytest.mark.parametrize("classes", [0, 3])
def test_each_member_of_a_stack_does_as_alone(kind: str, classes: int) -> None:
    from goodfit.regularizers.noise import drawn_from

    shares = [0.2, 0.9]
    batches = [rows(40, seed) for seed in (1, 2)]
    targets = [torch.randint(0, classes, (40,)) if classes else torch.randn(40) for _ in shares]
    alone = []
    for number, (share, batch, target) in enumerate(zip(shares, batches, targets, strict=True)):
        with drawn_from(Replayed([number])):
            alone.append(ON[kind](share).batch(batch, target, classes))
    together = lent([ON[kind](share) for share in shares])
    stacked = Rows(
        torch.stack([batch.numeric for batch in batches]), torch.stack([b.categorical for b in batches]), LAYOUT
    )
    with drawn_from(Replayed([0, 1])):
        found, target = together.batch(stacked, torch.stack(targets), classes)
    for number, (expected, expected_target) in enumerate(alone):
        torch.testing.assert_close(found.numeric[number], expected.numeric)
        assert torch.equal(found.categorical[number], expected.categorical)
        torch.testing.assert_close(target[number], expected_target)
    assert len(alone) == 2


@pytest.mark.parametrize("soft", [False, True])
def test_losses_of_a_stack_are_weighed_by_each_members_own_strength(soft: bool) -> None:
    torch.manual_seed(0)
    logits, target = torch.randn(2, 60, 3), torch.randint(0, 3, (2, 60))
    shown = functional.one_hot(target, 3).float() if soft else target
    losses = torch.rand(2, 60)
    weights = [ClassWeights(weights=[1.0, 2.0, 3.0]), ClassWeights(weights="balanced")]
    for one in weights:
        one.meet(torch.tensor([0, 0, 1, 2]), 3)
    pairs: list[list[Any]] = [[Focal(gamma=0.5), Focal(gamma=3.0)], [RDrop(strength=0.1), RDrop(strength=2.0)], weights]
    for pair in pairs:
        alone = [one.row_losses(losses[i], logits[i], shown[i], 3) for i, one in enumerate(pair)]
        together = lent(pair).row_losses(losses, logits, shown, 3)
        torch.testing.assert_close(together, torch.stack(alone))
    assert len(pairs) == 3
