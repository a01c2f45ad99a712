import math

import pytest
import torch
from sklearn.metrics import log_loss
from torch import Tensor
from torch.nn import functional

from goodfit.errors import ConfigurationError
from goodfit.tasks import TASKS, Task, task_named

CLASSES = {"binary": 2, "multiclass": 4, "regression": 0}


def drawn(kind, n=50):
    """Logits and targets of a task."""
    torch.manual_seed(0)
    logits = 3 * torch.randn(n, task_named(kind).outputs(CLASSES[kind]))
    target = torch.randn(n) if kind == "regression" else torch.randint(0, CLASSES[kind], (n,))
    return logits, target


def test_each_task_of_a_schema_is_there():
    assert set(TASKS) == set(CLASSES)


def test_outputs():
    assert {kind: task_named(kind).outputs(classes) for kind, classes in CLASSES.items()} == {
        "binary": 1,
        "multiclass": 4,
        "regression": 1,
    }


@pytest.mark.parametrize("kind", TASKS)
def test_losses_are_per_row_finite_and_of_the_target_dtype_or_not(kind):
    task, (logits, target) = task_named(kind), drawn(kind)
    losses = task.loss(logits, target)
    assert losses.shape == (50,)
    assert (losses >= 0).all()
    torch.testing.assert_close(task.loss(logits, target.to(task.target_dtype)), losses, rtol=0, atol=0)


@pytest.mark.parametrize("kind", TASKS)
def test_weights_multiply_rows(kind):
    task, (logits, target) = task_named(kind), drawn(kind)
    weight = torch.rand(50)
    torch.testing.assert_close(task.loss(logits, target, weight), task.loss(logits, target) * weight)


@pytest.mark.parametrize("kind", ["binary", "multiclass"])
def test_the_loss_is_the_log_loss_of_the_prediction(kind):
    task, (logits, target) = task_named(kind), drawn(kind)
    probabilities = task.predict(logits)
    assert probabilities.shape == (50, CLASSES[kind])
    torch.testing.assert_close(probabilities.sum(1), torch.ones(50))
    expected = log_loss(
        target, probabilities.double() / probabilities.double().sum(1, keepdim=True), labels=range(CLASSES[kind])
    )
    assert float(task.loss(logits, target).mean()) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("kind", ["binary", "multiclass"])
def test_certain_probabilities_as_targets_equal_class_indices_to_the_last_bit(kind):
    task, (logits, target) = task_named(kind), drawn(kind)
    certain = functional.one_hot(target, CLASSES[kind]).float()
    results: list[tuple[Tensor, Tensor]] = []
    for form in (target, certain):
        leaf = logits.clone().requires_grad_()
        loss = task.loss(leaf, form)
        loss.mean().backward()
        results.append((loss.detach(), leaf.grad))
    for with_index, with_probability in zip(*results, strict=True):
        torch.testing.assert_close(with_probability, with_index, rtol=0, atol=0)


def test_regression_is_the_squared_error():
    task, (logits, target) = task_named("regression"), drawn("regression")
    torch.testing.assert_close(task.loss(logits, target), (logits[:, 0] - target) ** 2)
    torch.testing.assert_close(task.predict(logits), logits[:, 0])


@pytest.mark.parametrize("kind", ["binary", "multiclass"])
def test_a_huge_logit_gives_a_finite_loss_and_gradient(kind):
    logits = torch.full((2, task_named(kind).outputs(CLASSES[kind])), 1e4)
    logits[1] *= -1
    if kind == "multiclass":
        logits[:, 1:] = 0
    logits.requires_grad_()
    losses = task_named(kind).loss(logits, torch.tensor([0, 0]))
    losses.sum().backward()
    assert torch.isfinite(losses).all()
    assert torch.isfinite(logits.grad).all()


def test_the_rarer_class_keeps_its_precision():
    small = task_named("binary").predict(torch.tensor([[40.0]]))[0, 0]
    assert float(small) == pytest.approx(math.exp(-40), rel=1e-4)


@pytest.mark.parametrize("kind", TASKS)
def test_a_population_has_the_losses_of_its_members(kind):
    task, (logits, target) = task_named(kind), drawn(kind)
    stacked = torch.stack([logits, 2 * logits, -logits])
    together = torch.func.vmap(task.loss, in_dims=(0, None))(stacked, target)
    alone = torch.stack([task.loss(one, target) for one in stacked])
    torch.testing.assert_close(together, alone)


def test_an_unknown_task_is_refused_with_a_suggestion():
    with pytest.raises(ConfigurationError, match="Did you mean 'binary'"):
        task_named("binry")


@pytest.mark.parametrize(("task", "outputs"), [("binary", 1), ("multiclass", 4), ("regression", 1)])
def test_pooled_scores_predict_the_mean_of_predictions(task, outputs):
    torch.manual_seed(0)
    every = torch.randn(3, 50, outputs) * 5
    chosen = task_named(task)
    mean = torch.stack([chosen.predict(scores) for scores in every]).mean(dim=0)
    torch.testing.assert_close(chosen.predict(chosen.pooled(every)), mean)


@pytest.mark.parametrize(("task", "outputs"), [("binary", 1), ("multiclass", 3)])
def test_pooled_scores_of_certain_networks_stay_finite(task, outputs):
    chosen = task_named(task)
    every = torch.full((2, 1, outputs), 500.0)
    every[..., 1:] = -500.0
    pooled = chosen.pooled(every)
    assert torch.isfinite(pooled).all()
    assert float(pooled[0, 0]) == pytest.approx(500.0) if task == "binary" else float(pooled[0, 1]) < -900


@pytest.mark.parametrize("kind", TASKS)
@pytest.mark.parametrize("soft", [False, True])
def test_slopes_are_the_derivative_of_the_losses(kind, soft):
    task, (logits, target) = task_named(kind), drawn(kind)
    if soft and kind != "regression":
        target = functional.softmax(torch.randn(50, CLASSES[kind]), dim=1)
    expected = Task.slopes(task, logits, target.to(task.target_dtype) if not soft else target)
    assert expected.abs().max() > 0.1
    found = task.slopes(logits, target.to(task.target_dtype) if not soft else target)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
    assert not found.requires_grad
