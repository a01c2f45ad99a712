import math

import pytest
import torch
from torch import nn
from torch.func import functional_call, stack_module_state, vmap
from torch.nn import functional

from goodfit.models import MODELS, Inputs, NoBlocks
from goodfit.optimizers import OPTIMIZERS
from goodfit.regularizers import (
    REGULARIZERS,
    BatchNorm,
    Dropout,
    EarlyStopping,
    GradientClip,
    LabelSmoothing,
    Regularization,
    RegularizationSection,
    WeightDecay,
    applicability_faults,
)
from goodfit.regularizers.batch_norm import BatchNormLayer
from goodfit.regularizers.dropout import DropoutLayer
from goodfit.regularizers.gradient_clip import clipped_by_norm
from goodfit.regularizers.label_smoothing import smoothed
from goodfit.tasks import task_named


def regularization(settings):
    return Regularization(RegularizationSection.model_validate(settings))


@pytest.mark.parametrize("kind", REGULARIZERS)
def test_off_by_default_and_on_by_its_settings(kind, regularizer_settings):
    on = regularizer_settings.on(kind)
    assert REGULARIZERS[kind].cls().active is False
    assert REGULARIZERS[kind].cls(**on[kind]).active is True
    assert len(regularization(on).active) == len(on)


@pytest.mark.parametrize("kind", REGULARIZERS)
def test_a_member_states_its_facts_and_its_source(kind):
    facts = REGULARIZERS[kind].facts
    assert set(facts) == {"tasks", "needs_hidden_layers", "source"}
    assert set(facts["tasks"]) <= {"binary", "multiclass", "regression"}
    assert any(str(year) in facts["source"] for year in range(1990, 2030))


@pytest.mark.parametrize("kind", REGULARIZERS)
def test_strengths_are_tensors_outside_of_the_state_dict(kind, regularizer_settings):
    member = REGULARIZERS[kind].cls(**regularizer_settings.on(kind)[kind])
    assert member.state_dict() == {}
    assert all(buffer.ndim == 0 for buffer in member.buffers())
    assert list(member.parameters()) == []


def test_the_resolved_section_writes_off_values_out():
    resolved = RegularizationSection().model_dump()
    assert set(resolved) == set(REGULARIZERS)
    for kind in REGULARIZERS:
        assert resolved[kind] == REGULARIZERS[kind].options().model_dump(exclude={"kind"})
        assert resolved[kind] != {}
    assert resolved["gradient_clip"] == {"norm": 0.0, "value": 0.0}


# Weight decay


def parameter_groups(regularizers, model):
    """One group of torch.optim per strength of decay, the parameters of each in the model's order."""
    groups = {}
    for name, parameter in model.named_parameters():
        groups.setdefault(regularizers.decay_of(name, parameter), []).append(parameter)
    return [{"params": params, "weight_decay": decay} for decay, params in sorted(groups.items())]


def test_weight_decay_shrinks_the_norm_of_weights():
    torch.manual_seed(0)
    norms = {}
    for strength in (0.0, 5.0):
        regularizers = regularization({"weight_decay": {"strength": strength}})
        torch.manual_seed(0)
        model = MODELS.build(MODELS["mlp"].options(), Inputs(4, ()), 1, regularizers)
        optimizer = OPTIMIZERS.build(OPTIMIZERS["adamw"].options(lr=0.01)).build(parameter_groups(regularizers, model))
        rows = torch.randn(64, 4)
        for _ in range(30):
            optimizer.zero_grad()
            model(rows, torch.zeros(64, 0, dtype=torch.int64)).square().mean().backward()
            optimizer.step()
        norms[strength] = float((model.head.weight.norm() + model.body[0].weight.norm()).detach())
    assert norms[5.0] < 0.5 * norms[0.0]


def test_weight_decay_spares_biases_and_norms():
    regularizers = regularization({"weight_decay": {"strength": 0.3}, "batch_norm": {"enabled": True}})
    model = MODELS.build(MODELS["mlp"].options(), Inputs(4, (50,)), 1, regularizers)
    spared, decayed = parameter_groups(regularizers, model)
    assert (spared["weight_decay"], decayed["weight_decay"]) == (0.0, 0.3)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    assert sorted(names[id(p)] for p in decayed["params"]) == [
        "body.0.weight", "body.3.weight", "encoding.table.weight", "head.weight",
    ]  # fmt: skip
    assert len(spared["params"]) + len(decayed["params"]) == len(names)


def test_without_decay_there_is_one_group_in_the_order_of_the_model():
    model = MODELS.build(MODELS["mlp"].options(), Inputs(4, (50,)), 1, NoBlocks())
    (group,) = parameter_groups(regularization({}), model)
    assert [id(p) for p in group["params"]] == [id(p) for p in model.parameters()]
    assert group["weight_decay"] == 0.0


# Dropout


@pytest.mark.parametrize("p", [0.1, 0.5, 0.8])
def test_dropout_silences_its_share_and_keeps_the_mean(p):
    torch.manual_seed(0)
    values = DropoutLayer(p)(torch.ones(400, 500))
    silent = float((values == 0).float().mean())
    assert silent == pytest.approx(p, abs=5 * math.sqrt(p * (1 - p) / values.numel()))
    torch.testing.assert_close(values.unique(), torch.tensor([0.0, 1 / (1 - p)]))


def test_dropout_does_nothing_in_prediction():
    values = torch.randn(10, 10)
    assert DropoutLayer(0.5).eval()(values) is values


def test_a_layer_of_zero_strength_changes_no_bit():
    values = torch.randn(100, 100)
    assert torch.equal(DropoutLayer(0.0)(values), values)


def test_dropout_follows_every_hidden_activation():
    model = MODELS.build(MODELS["mlp"].options(layers=3), Inputs(4, ()), 1, regularization({"dropout": {"p": 0.1}}))
    assert [type(module).__name__ for module in model.body] == ["Linear", "ReLU", "DropoutLayer"] * 3


def test_members_of_a_population_drop_by_their_own_strengths():
    layers = [DropoutLayer(p) for p in (0.0, 0.25, 0.75)]
    _, buffers = stack_module_state(layers)
    values = torch.ones(3, 200, 200)
    together = vmap(lambda b, x: functional_call(layers[0], b, (x,)), randomness="different")(buffers, values)
    silent = (together == 0).float().mean(dim=(1, 2))
    torch.testing.assert_close(silent, torch.tensor([0.0, 0.25, 0.75]), atol=0.02, rtol=0)
    assert torch.equal(together[0], values[0])


# Batch normalization


def test_batch_norm_is_that_of_torch():
    torch.manual_seed(0)
    ours, theirs = BatchNormLayer(6, 0.1, 1e-5), nn.BatchNorm1d(6)
    for _ in range(3):
        rows = torch.randn(32, 6) * 3 + 1
        torch.testing.assert_close(ours(rows), theirs(rows))
    rows = torch.randn(5, 6)
    torch.testing.assert_close(ours.eval()(rows), theirs.eval()(rows))


def test_a_batch_of_one_row_does_not_raise():
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        nn.BatchNorm1d(6)(torch.randn(1, 6))  # the trap
    layer = BatchNormLayer(6, 0.1, 1e-5)
    layer(torch.randn(32, 6))
    before = layer.running_mean.clone(), layer.running_var.clone()
    out = layer(torch.randn(1, 6))
    out.sum().backward()
    assert torch.isfinite(out).all()
    assert torch.equal(layer.running_mean, before[0])
    assert torch.equal(layer.running_var, before[1])


def test_batch_norm_stands_before_the_activation():
    model = MODELS.build(MODELS["mlp"].options(), Inputs(4, ()), 1, regularization({"batch_norm": {"enabled": True}}))
    assert [type(module).__name__ for module in model.body] == ["Linear", "BatchNormLayer", "ReLU"] * 2
    assert [name for name in model.state_dict() if "running" in name]


def test_a_population_with_norms_equals_its_members_alone():
    regularizers = regularization({"batch_norm": {"enabled": True}})
    members = [MODELS.build(MODELS["mlp"].options(), Inputs(4, ()), 1, regularizers) for _ in range(3)]
    parameters, buffers = stack_module_state(members)
    rows, none = torch.randn(32, 4), torch.zeros(32, 0, dtype=torch.int64)
    together = vmap(lambda p, b: functional_call(members[0], (p, b), (rows, none)))(parameters, buffers)
    alone = torch.stack([member(rows, none) for member in members])
    torch.testing.assert_close(together, alone)
    for number, member in enumerate(members):
        for name, buffer in member.named_buffers():
            torch.testing.assert_close(buffers[name][number], buffer)


# Label smoothing


@pytest.mark.parametrize(("task", "classes"), [("binary", 2), ("multiclass", 4)])
def test_label_smoothing_is_the_formula(task, classes):
    torch.manual_seed(0)
    logits, target = torch.randn(50, task_named(task).outputs(classes)), torch.randint(0, classes, (50,))
    ours = task_named(task).loss(logits, LabelSmoothing(strength=0.2).targets(target, classes))
    both = torch.cat([torch.zeros(50, 1), logits], dim=1) if task == "binary" else logits
    theirs = functional.cross_entropy(both, target, label_smoothing=0.2, reduction="none")
    torch.testing.assert_close(ours, theirs)


def test_label_smoothing_takes_probabilities_and_float_indices():
    epsilon = torch.tensor(0.4)
    expected = torch.tensor([[0.8, 0.2], [0.2, 0.8]])
    torch.testing.assert_close(smoothed(torch.tensor([0, 1]), 2, epsilon), expected)
    torch.testing.assert_close(smoothed(torch.tensor([0.0, 1.0]), 2, epsilon), expected)
    torch.testing.assert_close(smoothed(torch.eye(2), 2, epsilon), expected)


def test_members_of_a_population_smooth_by_their_own_strengths():
    strengths, target = torch.tensor([0.0, 0.1, 0.5]), torch.tensor([0, 2, 1])
    together = vmap(lambda e: smoothed(target, 3, e))(strengths)
    torch.testing.assert_close(together, torch.stack([smoothed(target, 3, e) for e in strengths]))
    assert torch.equal(together[0], functional.one_hot(target, 3).float())


# Gradient clipping


@pytest.mark.parametrize("bound", [0.5, 2.0, 1e6])
def test_the_joint_norm_is_bounded_and_the_direction_kept(bound):
    torch.manual_seed(0)
    gradients = [torch.randn(20, 30), torch.randn(30)]
    clipped = GradientClip(norm=bound).gradients(gradients)
    before, after = (torch.cat([g.flatten() for g in group]) for group in (gradients, clipped))
    assert float(after.norm()) == pytest.approx(min(bound, float(before.norm())), rel=1e-4)
    assert float(functional.cosine_similarity(before, after, dim=0)) == pytest.approx(1, abs=1e-5)
    parameters = [nn.Parameter(torch.zeros_like(g)) for g in gradients]
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = gradient.clone()
    nn.utils.clip_grad_norm_(parameters, bound)
    for parameter, gradient in zip(parameters, clipped, strict=True):
        torch.testing.assert_close(gradient, parameter.grad)


def test_each_element_is_bounded():
    gradients = [torch.tensor([-3.0, 0.1, 2.0])]
    assert GradientClip(value=1.0).gradients(gradients)[0].tolist() == pytest.approx([-1, 0.1, 1])


def test_an_infinite_bound_changes_no_bit_so_a_population_can_mix():
    torch.manual_seed(0)
    stacked = torch.randn(2, 20, 30)
    bounds = torch.tensor([math.inf, 1.0])
    together = vmap(lambda g, bound: clipped_by_norm([g], bound)[0])(stacked, bounds)
    assert torch.equal(together[0], stacked[0])
    assert float(together[1].norm()) == pytest.approx(1, rel=1e-4)


def test_clipping_is_pure():
    gradient = torch.ones(5)
    GradientClip(norm=0.1, value=0.1).gradients([gradient])
    assert torch.equal(gradient, torch.ones(5))


# Early stopping


@pytest.mark.parametrize(
    ("losses", "stops", "kept"),
    [
        ([3.0], False, 0),
        ([3.0, 2.0, 1.0], False, 2),
        ([3.0, 1.0, 2.0], False, 1),
        ([3.0, 1.0, 2.0, 1.0], True, 1),
        ([1.0, 2.0, 3.0], True, 0),
        ([math.nan, math.nan], True, 0),
        ([math.nan, 1.0, math.nan], False, 1),
    ],
)
def test_patience_and_best_epoch(losses, stops, kept):
    stopping = EarlyStopping(patience=2)
    assert stopping.should_stop(losses) is stops
    assert stopping.kept_epoch(losses) == kept
    assert EarlyStopping(patience=2, restore_best=False).kept_epoch(losses) == len(losses) - 1


def test_small_improvements_do_not_count_but_the_best_is_the_best():
    stopping = EarlyStopping(patience=2, min_delta=0.5)
    assert stopping.should_stop([1.0, 0.9, 0.8]) is True
    assert stopping.kept_epoch([1.0, 0.9, 0.8]) == 2


def test_a_member_that_does_not_stop_keeps_no_one_from_it():
    together = regularization({"early_stopping": {"patience": 1}, "dropout": {"p": 0.1}})
    assert together.should_stop([1.0, 2.0]) is True
    assert together.kept_epoch([1.0, 2.0]) == 0
    assert regularization({"dropout": {"p": 0.1}}).should_stop([1.0, 2.0]) is False
    assert regularization({}).kept_epoch([1.0, 2.0]) == 1


# Together


def test_what_can_be_left_out_of_a_step():
    assert not regularization({"dropout": {"p": 0.1}}).changes("targets")
    assert regularization({"label_smoothing": {"strength": 0.1}}).changes("targets")
    assert not regularization({}).changes("gradients")
    assert regularization({"gradient_clip": {"norm": 1.0}}).changes("gradients")


def faults(settings, model="mlp", task="binary", **facts):
    section = RegularizationSection.model_validate(settings)
    return [str(fault) for fault in applicability_faults(section, model, task, **facts)]


def test_what_cannot_apply_is_refused_by_its_name():
    (found,) = faults({"label_smoothing": {"strength": 0.1}}, task="regression")
    assert found.startswith("params.yaml: regularization.label_smoothing: does not apply to regression")
    both = faults({"dropout": {"p": 0.1}, "batch_norm": {"enabled": True}}, model="linear", hidden_layers=False)
    assert len(both) == 2
    assert "acts on hidden layers, and model 'linear' has none" in both[0]


@pytest.mark.parametrize("kind", REGULARIZERS)
def test_what_is_off_is_never_refused(kind, regularizer_settings):
    assert faults(regularizer_settings.off(kind), model="linear", task="regression", hidden_layers=False) == []


@pytest.mark.parametrize("kind", REGULARIZERS)
def test_what_applies_is_not_refused(kind, regularizer_settings):
    for task in REGULARIZERS[kind].facts["tasks"]:
        assert faults(regularizer_settings.on(kind), task=task) == []
    assert task


def test_members_keep_their_options_apart():
    assert WeightDecay(strength=2.0).decay("w", nn.Parameter(torch.ones(2, 2))) == 2.0
    assert len(Dropout(p=0.5).after_activation(0, 1, 3)) == 1
    assert BatchNorm(enabled=True).before_activation(0, 1, 3)[0].weight.shape == (3,)
