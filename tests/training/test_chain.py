"""The passes without a graph: the gradients that torch's autograd finds, with the same random numbers."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from goodfit.models import MODELS
from goodfit.models.activations import ACTIVATION_NAMES
from goodfit.regularizers import REGULARIZERS
from goodfit.training import Candidate, RowStore, fit_population
from goodfit.training.noise import Generators
from goodfit.training.population import chain
from goodfit.training.population.chain import ACTIVATIONS, Link
from goodfit.training.population.group import Group
from goodfit.training.population.program import draw
from goodfit.training.start import started

Make = Callable[..., Any]
IN_SEQUENCE = ("linear", "mlp", "resnet")
PLAIN: dict[str, Any] = {}
REGULARIZED: dict[str, Any] = {
    "nothing": PLAIN,
    "dropout": {"dropout": {"p": 0.3}},
    "fading dropout": {"dropout": {"p": 0.3, "schedule": "cosine"}},
    "batch norm": {"dropout": {"p": 0.3}, "batch_norm": {"enabled": True}},
    "mixup": {"mixup": {"alpha": 0.4}},
    "label smoothing": {"dropout": {"p": 0.1}, "label_smoothing": {"strength": 0.1}},
    "a path around": {"skip_connections": {"enabled": True}},
    "input noise": {"input_noise": {"strength": 0.1}},
}
OPTIONS: dict[str, dict[str, Any]] = {
    "realmlp": {"feature_scaling": True, "parametrization": "ntk", "parametric_activation": True},
    "piecewise": {"numeric_embeddings": {"kind": "piecewise_linear"}},
    "embedded": {"max_one_hot": 0},
    "three layers": {"widths": [16, 24, 8]},
}


def group_of(make: Make, regularization: dict[str, Any] = PLAIN, target: str = "churn", **model: Any) -> Group:
    size = {} if model.get("kind") == "linear" else {"layers": 2, "width": 16}
    options = {"kind": "mlp"} | size | model
    recipe, data = make(target, model=options, regularization=regularization)
    standing = started(Candidate(1, recipe, seed=3, data=data))
    group = Group([standing], *RowStore().prepared(standing))
    group.epoch()  # away from where everything starts
    return group


def both_ways(group: Group) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Return objective and gradient [1, p] of one step, without a graph and with one."""
    batch = group.train_rows.take_each(torch.arange(32)[None])
    numbers = draw(group.program.demands(batch), Generators([5], 1, group.device))
    objective, found = group.program.descent(batch, numbers)
    assert isinstance(found, Tensor), "it did not go without a graph"
    network = group.program.network
    network._descent = None
    expected_objective, raw = group.program.descent(batch, numbers)
    assert not isinstance(raw, Tensor)
    expected = torch.cat([gradient.reshape(1, -1) for gradient in raw], dim=1)
    return (objective, found.clone()), (expected_objective, expected)


def assert_alike(group: Group) -> None:
    found, expected = both_ways(group)
    assert expected[1].abs().max() > 1e-4
    torch.testing.assert_close(found[0], expected[0], rtol=1e-6, atol=1e-7)
    torch.testing.assert_close(found[1], expected[1], rtol=1e-4, atol=1e-7)


def test_which_models_follow_in_sequence(make: Make) -> None:
    found = {}
    for kind in (kind for kind in MODELS if MODELS[kind].facts["vectorizes"]):
        recipe, data = make(model={"kind": kind}, regularization={})
        standing = started(Candidate(1, recipe, seed=3, data=data))
        found[kind] = Group([standing], *RowStore().prepared(standing)).program.network.descent is not None
    assert {kind for kind, followed in found.items() if followed} == set(IN_SEQUENCE)
    assert len(found) > len(IN_SEQUENCE)


@pytest.mark.parametrize("target", ["churn", "level", "price"])
@pytest.mark.parametrize("kind", IN_SEQUENCE)
def test_each_model_and_task(make: Make, kind: str, target: str) -> None:
    assert_alike(group_of(make, {"dropout": {"p": 0.2}} if kind != "linear" else PLAIN, target, kind=kind))


@pytest.mark.parametrize("activation", ACTIVATION_NAMES)
def test_each_activation(make: Make, activation: str) -> None:
    assert_alike(group_of(make, {"dropout": {"p": 0.2}}, activation=activation))


@pytest.mark.parametrize("kind", ["mlp", "resnet"])
@pytest.mark.parametrize("name", REGULARIZED)
def test_what_acts_on_layers_rows_and_targets(make: Make, kind: str, name: str) -> None:
    target = "churn" if "smoothing" in name or "mixup" in name else "price"
    assert_alike(group_of(make, REGULARIZED[name], target, kind=kind))


@pytest.mark.parametrize("name", OPTIONS)
def test_layers_whose_derivative_is_not_written_out(make: Make, name: str) -> None:
    assert_alike(group_of(make, {"dropout": {"p": 0.2}}, **OPTIONS[name]))


@pytest.mark.parametrize(
    "regularization",
    [{"l1": {"strength": 1e-3}}, {"sam": {"rho": 0.05}}, {"focal": {"gamma": 2.0}}, {"gradient_clip": {"norm": 0.1}}],
)
def test_what_acts_on_losses_or_weights_has_its_graph(make: Make, regularization: dict[str, Any]) -> None:
    assert set(regularization) <= set(REGULARIZERS)
    program = group_of(make, regularization).program
    assert program.network.descent is not None
    assert not program.hooks.leave_weights_alone


@pytest.mark.parametrize("broken", [nn.ReLU, nn.SELU, "dropout", "linear"])
def test_a_wrong_derivative_is_found(make: Make, monkeypatch: pytest.MonkeyPatch, broken: Any) -> None:
    """The gate of this file, broken on purpose."""
    activation = "selu" if broken is nn.SELU else "relu"
    group = group_of(make, {"dropout": {"p": 0.3}}, activation=activation)
    if broken is nn.SELU:
        monkeypatch.setitem(ACTIVATIONS, nn.SELU, lambda slopes, taken, given: slopes)  # type: ignore[arg-type]
    else:
        name = {nn.ReLU: "_ReLU", "dropout": "_ReLUDropout", "linear": "_Linear"}[broken]
        link: type[Link] = getattr(chain, name)
        plain = link.backward
        monkeypatch.setattr(link, "backward", lambda self, slopes: _doubled(plain(self, slopes)))
    with pytest.raises(AssertionError, match="not close"):
        assert_alike(group)


def _doubled(found: Tensor | None) -> Tensor | None:
    return None if found is None else 2 * found


def test_nothing_of_a_step_is_kept_after_it(make: Make) -> None:
    """What a step makes of its rows would otherwise lie there while other stacks train."""
    group = group_of(make, {"dropout": {"p": 0.3}, "batch_norm": {"enabled": True}})
    descent = group.program.network.descent
    assert descent is not None
    kept = [value for link in descent.chain.links for value in vars(link).values() if isinstance(value, Tensor)]
    assert all(value.numel() <= 1 for value in kept)
    assert len(descent.chain.links) >= 5


@pytest.mark.parametrize("kind", IN_SEQUENCE)
def test_a_training_without_a_graph_is_that_of_a_stack(make: Make, kind: str) -> None:
    """Alone by hand, among others by autograd: the same curve."""
    recipe, data = make(model={"kind": kind}, regularization={} if kind == "linear" else {"dropout": {"p": 0.2}})
    together = {
        one.number: one for one in fit_population([Candidate(n, recipe, n, data) for n in range(3)], state=None)
    }
    for number in range(3):
        (alone,) = fit_population([Candidate(number, recipe, number, data)], state=None)
        assert alone.fitted is not None
        other = together[number].fitted
        assert other is not None
        for epoch, same in zip(alone.fitted.epochs, other.epochs, strict=True):
            assert dict(epoch.metrics) == pytest.approx(dict(same.metrics), abs=1e-5)
