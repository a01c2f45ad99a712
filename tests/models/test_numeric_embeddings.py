"""Numeric embeddings say what their papers say, and compute for stacks."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.func import functional_call, stack_module_state

from goodfit.models import MODELS, NUMERIC_EMBEDDINGS, Inputs, NoBlocks
from goodfit.models.encoding import Encoding
from goodfit.models.numeric_embeddings import PiecewiseLinearEmbedding

EMBEDDINGS = [kind for kind in NUMERIC_EMBEDDINGS if kind != "none"]
every = pytest.mark.parametrize("kind", EMBEDDINGS)


def built(kind, columns=3, **options):
    return NUMERIC_EMBEDDINGS.build(NUMERIC_EMBEDDINGS[kind].options(**options), columns)


def shuffled(module):
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn_like(parameter))
    return module


@every
def test_a_new_embedding_keeps_the_size_of_a_signal(kind):
    torch.manual_seed(0)
    vectors = built(kind, columns=64, width=32)(torch.randn(512, 64)).detach()
    assert vectors.shape == (512, 64, 32)
    assert 0.7 < float(vectors.square().sum(dim=-1).mean()) < 1.4


@every
@pytest.mark.parametrize("shared", [True, False])
def test_a_stack_equals_its_members(kind, shared):
    torch.manual_seed(0)
    members = [shuffled(built(kind)) for _ in range(4)]
    parameters, buffers = stack_module_state(members)
    rows = torch.randn(7, 3) if shared else torch.randn(4, 7, 3)
    together = functional_call(members[0], parameters | buffers, (rows,))
    alone = torch.stack([member(rows if shared else rows[row]) for row, member in enumerate(members)])
    torch.testing.assert_close(together, alone)


@every
def test_columns_do_not_see_each_other(kind):
    torch.manual_seed(0)
    embedding, rows = shuffled(built(kind)), torch.randn(7, 3)
    moved = rows.clone()
    moved[:, 1] += 1
    changed = (embedding(moved) != embedding(rows)).any(dim=-1).all(dim=0)
    assert changed.tolist() == [False, True, False]


@every
def test_what_is_no_weight_has_one_dimension_and_does_not_decay(kind):
    found = {name: parameter.ndim for name, parameter in built(kind).named_parameters()}
    assert found.pop("bias") == 1
    assert found.pop("frequencies", 1) == 1
    assert set(found.values()) <= {2, 3}
    assert found


def test_bins_say_how_far_a_number_has_come():
    embedding = PiecewiseLinearEmbedding(1, bins=3, width=3)
    embedding.meet(torch.tensor([[0.0], [1.0], [3.0], [4.0]]))
    with torch.no_grad():
        embedding.weight.copy_(torch.eye(3)[None])
        embedding.scale.zero_()
    values = torch.tensor([[-5.0], [0.5], [2.0], [3.25], [9.0]])
    expected = torch.tensor([[0, 0, 0], [0.5, 0, 0], [1, 0.5, 0], [1, 1, 0.25], [1, 1, 1]])
    torch.testing.assert_close(embedding(values)[:, 0], expected)


def test_numbers_that_occur_often_make_one_knot():
    embedding = PiecewiseLinearEmbedding(2, bins=4)
    embedding.meet(torch.tensor([[0.0, 0], [0, 1], [0, 2], [1, 3], [1, 4]]))
    assert embedding.left[0].tolist() == [0, 0, 0, 0]
    assert embedding.steepness[0].tolist() == [1, 0, 0, 0]
    assert embedding.steepness[1].tolist() == [1, 1, 1, 1]
    with torch.no_grad():
        embedding.weight.fill_(1.0)
    difference = embedding(torch.tensor([[1.0, 0]])) - embedding(torch.tensor([[0.0, 0]]))
    torch.testing.assert_close(difference[0, 0], embedding.scale[0] + 1)


def test_a_constant_column_harms_nothing():
    embedding = PiecewiseLinearEmbedding(1, bins=4)
    embedding.meet(torch.ones(5, 1))
    assert torch.isfinite(embedding(torch.tensor([[1.0], [2.0]]))).all()
    assert embedding.steepness.tolist() == [[0, 0, 0, 0]]


def test_frequencies_are_sines_and_cosines():
    embedding = built("periodic", columns=1, width=2, frequencies=1)
    with torch.no_grad():
        embedding.frequencies.fill_(0.25)
        embedding.weight.copy_(torch.eye(2)[None])
    values = torch.tensor([[0.0], [1.0], [0.5]])
    expected = torch.tensor([[1, 0], [0, 1], [0.5**0.5, 0.5**0.5]])
    torch.testing.assert_close(embedding(values)[:, 0], expected, atol=1e-6, rtol=0)


def test_flags_and_levels_stay_as_they_are():
    inputs = Inputs(3, (4, 40), measured=(0, 2))
    encoding = Encoding(inputs, 9, 8, NUMERIC_EMBEDDINGS["linear"].options(width=5))
    assert encoding.width == 2 * 5 + 1 + 4 + 8
    numeric, codes = torch.randn(6, 3), torch.stack((torch.arange(6) % 4, torch.arange(6)), dim=1)
    rows = encoding(numeric, codes)
    assert rows.shape == (6, encoding.width)
    assert torch.equal(rows[:, 10], numeric[:, 1])
    assert torch.equal(rows[:, 11:15], torch.nn.functional.one_hot(codes[:, 0], 4).float())
    assert encoding.reserved_inputs().tolist() == [11, 12]
    assert torch.equal(encoding(*encoding.prepare(numeric, codes)), rows)


def test_a_table_without_numbers_has_nothing_to_embed():
    options = NUMERIC_EMBEDDINGS["piecewise_linear"].options()
    for inputs in (Inputs(0, (4,)), Inputs(2, (4,), measured=())):
        assert Encoding(inputs, 9, 8, options).numbers is None


def test_the_train_rows_decide_the_knots_and_the_weights_bring_them():
    options = MODELS["mlp"].options(numeric_embeddings={"kind": "piecewise_linear", "bins": 4})
    inputs = Inputs(3, (), measured=(0, 2))
    model, other = (MODELS.build(options, inputs, 1, NoBlocks()) for _ in range(2))
    quantiles = np.linspace(0, 1, 1001, dtype=np.float32)[:, None] * np.float32([1, 10, 100])
    model.meet(SimpleNamespace(quantiles=quantiles))
    torch.testing.assert_close(model.encoding.numbers.left, torch.tensor([[0, 0.25, 0.5, 0.75], [0, 25, 50, 75]]))
    other.load_state_dict(model.state_dict())
    rows = torch.rand(5, 3), torch.zeros(5, 0, dtype=torch.int64)
    assert torch.equal(other(*rows), model(*rows))


def test_a_step_function_is_learned_by_bins_and_not_without():
    """Known effect: a column whose effect jumps forth and back is what plain networks learn last."""
    torch.manual_seed(0)
    values = torch.rand(200, 1) * 4 - 2
    target = ((values[:, 0] * 8).floor() % 2) * 2 - 1
    left = {}
    for kind in ("none", "piecewise_linear"):
        torch.manual_seed(1)
        options = MODELS["mlp"].options(layers=1, width=32, numeric_embeddings={"kind": kind})
        model = MODELS.build(options, Inputs(1, ()), 1, NoBlocks())
        model.meet(SimpleNamespace(quantiles=np.quantile(values.numpy(), np.linspace(0, 1, 1001), axis=0)))
        optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
        for _ in range(80):
            loss = (model(values, torch.zeros(200, 0, dtype=torch.int64))[:, 0] - target).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        left[kind] = float(loss.detach())
    assert left["piecewise_linear"] < 0.5 * left["none"]
