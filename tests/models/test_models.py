import copy

import pytest
import torch
from torch import nn
from torch.func import functional_call, stack_module_state, vmap

from goodfit.models import MLP, MODELS, NUMERIC_EMBEDDINGS, Inputs, LinearModel, Model, NoBlocks
from goodfit.models.activations import ParametricActivation
from goodfit.models.encoding import Encoding
from goodfit.models.layers import FeatureScaling
from goodfit.params import check
from goodfit.registry import Section
from goodfit.regularizers import Regularization, RegularizationSection
from goodfit.tasks import task_named

MIXED = Inputs(3, (4, 20, 6))
SHAPES = {
    "mixed": MIXED,
    "numeric": Inputs(3, ()),
    "few": Inputs(0, (4, 5)),
    "many": Inputs(0, (40, 50)),
    "nothing seen": Inputs(1, (2,)),
}
EMBEDDINGS = [kind for kind in NUMERIC_EMBEDDINGS if kind != "none"]
CASES = {kind: (kind, {}) for kind in MODELS} | {
    f"{model} with {kind} numbers": (model, {"numeric_embeddings": NUMERIC_EMBEDDINGS[kind].options()})
    for model in ("ft_transformer", "mlp", "resnet", "tabm")
    for kind in EMBEDDINGS
}
VECTORIZING = {name: case for name, case in CASES.items() if MODELS[case[0]].facts["vectorizes"]}
every_model = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
every_vectorizing_model = pytest.mark.parametrize("case", VECTORIZING.values(), ids=VECTORIZING)


def rows(inputs, n=16):
    torch.manual_seed(1)
    codes = [torch.randint(0, size, (n,)) for size in inputs.cardinalities]
    return torch.randn(n, inputs.numeric), torch.stack(codes, 1) if codes else torch.zeros(n, 0, dtype=torch.int64)


def built(case, inputs=MIXED, outputs=2, blocks=None, **options):
    kind, chosen = case if isinstance(case, tuple) else (case, {})
    torch.manual_seed(0)
    return MODELS.build(MODELS[kind].options(**chosen, **options), inputs, outputs, blocks or NoBlocks())


@pytest.mark.parametrize("inputs", SHAPES.values(), ids=SHAPES)
@every_model
def test_rows_become_logits_and_every_parameter_learns(case, inputs):
    model = built(case, inputs).eval()
    logits = model(*rows(inputs))
    assert logits.shape == (16, 2)
    logits.square().sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all()


@pytest.mark.parametrize("inputs", SHAPES.values(), ids=SHAPES)
@every_model
def test_prepared_rows_give_the_same_logits_to_the_last_bit(case, inputs):
    model, raw = built(case, inputs), rows(inputs)
    prepared = model.prepare(*raw)
    assert prepared[0].shape == (16, model.prepared_width)
    assert torch.equal(model(*prepared), model(*raw))
    again = model.prepare(*prepared)
    assert all(torch.equal(first, second) for first, second in zip(again, prepared, strict=True))


@every_model
def test_a_seed_decides_the_first_weights(case):
    first, second = built(case).state_dict(), built(case).state_dict()
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)


@every_model
def test_the_first_prediction_is_near_even_odds(case):
    logits = built(case, outputs=3)(*rows(MIXED, 500))
    assert logits.abs().mean() < 0.5


@every_model
def test_what_training_never_saw_has_no_say(case):
    """A missing or unknown level that no training row had must not add the noise of untrained weights."""
    model = built(case)
    numeric, codes = rows(MIXED)
    missing, unknown = (model(numeric, torch.full_like(codes, code)) for code in (0, 1))
    assert torch.equal(missing, unknown)
    # The defence is the zero start: with ordinary weights for the reserved codes the two differ.
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn_like(parameter))
    missing, unknown = (model(numeric, torch.full_like(codes, code)) for code in (0, 1))
    assert not torch.allclose(missing, unknown)


@every_vectorizing_model
@pytest.mark.parametrize("prepared", [False, True])
def test_a_population_of_three_equals_its_members_alone(case, prepared):
    members = [built(case).double() for _ in range(3)]  # in double precision, sums in another order agree closely
    with torch.no_grad():
        for number, member in enumerate(members):
            for parameter in member.parameters():
                parameter.add_(0.1 * number * torch.randn_like(parameter))
    numeric, codes = rows(MIXED)
    raw = numeric.double(), codes
    arrays = members[0].prepare(*raw) if prepared else raw
    parameters, buffers = stack_module_state(members)
    shape = copy.deepcopy(members[0]).to("meta")
    # The indices of columns are no numbers of a member: all share them.
    shared = {name: buffer for name, buffer in members[0].named_buffers()}

    def loss(parameters):
        return functional_call(shape, (parameters, shared), arrays).square().sum()

    gradients, values = vmap(torch.func.grad_and_value(loss))(parameters)
    assert buffers.keys() == shared.keys()
    for number, member in enumerate(members):
        alone = member(*arrays).square().sum()
        torch.testing.assert_close(values[number], alone.detach())
        alone.backward()
        for name, parameter in member.named_parameters():
            torch.testing.assert_close(gradients[name][number], parameter.grad)
    assert number == 2


@every_vectorizing_model
def test_stacked_buffers_are_taken_too(case):
    members = [built(case) for _ in range(3)]
    parameters, buffers = stack_module_state(members)
    numeric, codes = rows(MIXED)
    together = vmap(lambda p, b, x, c: functional_call(members[0], (p, b), (x, c)))(
        parameters, buffers, torch.stack([numeric] * 3), torch.stack([codes] * 3)
    )
    torch.testing.assert_close(together, torch.stack([member(numeric, codes) for member in members]))


def test_one_hot_columns_say_what_their_codes_say():
    encoding = Encoding(MIXED, max_one_hot=9, embedding=8)
    numeric, codes = rows(MIXED, 5)
    dense, embedded = encoding.prepare(numeric, codes)
    expected = [numeric, nn.functional.one_hot(codes[:, 0], 4), nn.functional.one_hot(codes[:, 2], 6)]
    torch.testing.assert_close(dense, torch.cat([part.float() for part in expected], dim=1))
    assert torch.equal(embedded, codes[:, [1]])
    assert encoding.width == encoding.dense_width + 8 == 3 + 4 + 6 + 8


def test_embedded_columns_have_vectors_of_their_own():
    encoding = Encoding(Inputs(0, (20, 30)), max_one_hot=9, embedding=4)
    codes = torch.tensor([[5, 7]])
    expected = torch.cat([encoding.table.weight[5], encoding.table.weight[20 + 7]])
    torch.testing.assert_close(encoding(torch.zeros(1, 0), codes)[0], expected)


def test_layers_and_widths():
    def hidden(model):
        return [module.out_features for module in model.body if isinstance(module, nn.Linear)]

    assert hidden(built("mlp")) == [128, 128]
    assert hidden(built("mlp", layers=3, width=7)) == [7, 7, 7]
    assert hidden(built("mlp", layers=9, width=7, widths=[5, 4])) == [5, 4]


def test_blocks_stand_around_the_activation_of_every_hidden_layer():
    class Blocks(NoBlocks):
        asked: list[tuple[int, int, int]] = []

        def before_activation(self, index, count, width):
            self.asked.append((index, count, width))
            return [nn.LayerNorm(width)]

        def after_activation(self, index, count, width):
            return [nn.Identity()]

    model = built("mlp", widths=[5, 4], blocks=Blocks())
    kinds = [type(module).__name__ for module in model.body]
    assert kinds == ["Linear", "LayerNorm", "ReLU", "Identity"] * 2
    assert Blocks.asked == [(0, 2, 5), (1, 2, 4)]


def test_blocks_of_a_resnet_are_added_to_what_goes_in():
    model = built("resnet", Inputs(4, ()), layers=2, width=8, expansion=3)
    kinds = [type(module).__name__ for module in model.body]
    assert kinds == ["Linear", "Residual", "Residual"]
    assert [type(module).__name__ for module in model.body[1].branch] == ["Linear", "ReLU", "Linear"]
    assert [module.out_features for module in model.body[1].branch if isinstance(module, nn.Linear)] == [24, 8]
    values = torch.randn(5, 8)
    into, activation, out = model.body[1].branch
    torch.testing.assert_close(model.body[1](values), values + out(activation(into(values))))


@pytest.mark.parametrize("kind", ["shake_drop", "stochastic_depth"])
def test_regularizers_of_paths_act_on_the_blocks_of_a_resnet(kind):
    settings = {"skip_connections": {"enabled": True}, kind: {"p": 0.5}, "batch_norm": {"enabled": True}}
    blocks = Regularization(RegularizationSection.model_validate(settings))
    model = built("resnet", Inputs(4, ()), layers=2, width=8, blocks=blocks)
    assert [type(module).__name__ for module in model.body] == ["Linear", "Shortcut", "Shortcut"]
    names = [type(module).__name__ for module in model.body[2].branch.modules()]
    assert any(name.endswith("Gate") for name in names), names
    assert names.count("BatchNormLayer") == 1
    assert [type(module).__name__ for module in model.head] == ["BatchNormLayer", "ReLU", "Linear"]


def test_paths_alone_change_nothing_in_a_resnet():
    blocks = Regularization(RegularizationSection.model_validate({"skip_connections": {"enabled": True}}))
    plain, same = built("resnet"), built("resnet", blocks=blocks)
    assert torch.equal(plain(*rows(MIXED)), same(*rows(MIXED)))


def test_a_deep_resnet_keeps_the_size_of_a_signal():
    model = built("resnet", Inputs(64, ()), layers=32, width=128)
    with torch.no_grad():
        signal = model.body(torch.randn(512, 64))
    assert 1 < float(signal.square().mean()) < 4, "1 from the first layer, and 1 from all blocks together"


def test_the_networks_of_a_tabm_are_networks_of_their_own():
    """Known formula: each member is a network whose matrices are scaled by its vectors, rows and columns."""
    model = built("tabm", Inputs(4, ()), outputs=1, members=3, layers=2, width=8)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn_like(parameter))
    numeric, codes = torch.randn(5, 4), torch.zeros(5, 0, dtype=torch.int64)
    together = model(numeric, codes)
    assert together.shape == (5, 3, 1)
    first, second = model.body[0], model.body[2]
    for member in range(3):
        spread, first_out, first_bias, into, out, bias, head_bias = (
            flat.view(3, -1)[member]
            for flat in (model.spread, first.out, first.bias, second.into, second.out, second.bias, model.head_bias)
        )
        hidden = torch.relu((numeric * spread) @ first.linear.weight.T * first_out + first_bias)
        hidden = (hidden * into) @ second.linear.weight.T * out + bias
        expected = torch.relu(hidden) @ model.head[member] + head_bias
        torch.testing.assert_close(together[:, member], expected)
    assert first.linear.bias is None


def test_a_tabm_answers_by_the_mean_of_its_predictions():
    model, raw = built("tabm", members=4, outputs=1), rows(MIXED)
    each = model(*raw)
    task = task_named("binary")
    model.pool_by(task.pooled)
    expected = torch.stack([task.predict(each[:, member]) for member in range(4)]).mean(dim=0)
    torch.testing.assert_close(task.predict(model.eval()(*raw)), expected)


def test_the_mini_tabm_shares_all_but_the_first_scales_and_the_heads():
    model = built("tabm", Inputs(4, ()), members=3, adapters="first")
    assert [type(module).__name__ for module in model.body] == ["Linear", "ReLU", "Linear", "ReLU"]
    assert model.spread.abs().unique().tolist() == [1], "signs at random"


def test_all_numbers_of_a_column_start_with_one_scale():
    model = built("tabm", Inputs(2, (4,)), members=5)
    scales = model.spread.detach().view(5, -1)
    assert scales.shape == (5, 2 + 4)
    assert (scales[:, 2:] == scales[:, 2:3]).all()
    embedded = (
        built("tabm", Inputs(2, ()), members=5, numeric_embeddings={"kind": "linear"}).spread.detach().view(5, 2, 16)
    )
    assert (embedded == embedded[..., :1]).all()
    assert len(embedded.unique()) == 10, "normal, so each another"


def test_tokens_of_a_transformer():
    model = built("ft_transformer", Inputs(3, (4, 40), measured=(0, 2)), width=8, heads=2, layers=1)
    assert model.tokens == 1 + 3 + 2
    numeric, codes = torch.randn(6, 3), torch.randint(2, 4, (6, 2))
    tokens = model._tokenized(model.encoding(numeric, codes)).view(6, 6, 8)
    assert torch.equal(tokens[:, 0], model.answer.expand(6, -1)), "the answer's, the same for all rows"
    numbers = model.encoding.numbers
    torch.testing.assert_close(tokens[:, 2], numeric[:, 2:] * numbers.weight[1] + numbers.bias.view(2, 8)[1])
    torch.testing.assert_close(tokens[:, 3], numeric[:, 1:2] * model.flags.weight[0] + model.flags.bias)
    assert torch.equal(tokens[:, 5], model.encoding.table.weight[4 + codes[:, 1]])


def test_attention_is_that_of_torch():
    model = built("ft_transformer", Inputs(3, ()), width=8, heads=2, layers=1)
    attention = model.body[0].branch.body
    tokens = torch.randn(5, 4, 8)
    asked, offered, said = (part.view(5, 4, 2, 4).transpose(1, 2) for part in attention.into(tokens).chunk(3, dim=-1))
    expected = nn.functional.scaled_dot_product_attention(asked, offered, said).transpose(1, 2).reshape(5, 4, 8)
    torch.testing.assert_close(attention(tokens.view(20, 8)), attention.out(expected).view(20, 8))


def test_what_cannot_be_a_transformer_is_refused():
    def refusal(**options):
        with pytest.raises(Exception) as error:
            MODELS["ft_transformer"].options(**options)
        return str(error.value)

    assert "do not divide the width 10" in refusal(width=10, heads=4)
    assert "kind none makes it none" in refusal(numeric_embeddings={"kind": "none"})
    assert "the width of all of them, 64" in refusal(numeric_embeddings={"kind": "linear", "width": 8})
    options = MODELS["ft_transformer"].options(numeric_embeddings={"kind": "linear", "width": 64})
    assert MODELS["ft_transformer"].options.model_validate(options.model_dump()) == options


REALMLP = {"feature_scaling": True, "parametrization": "ntk", "parametric_activation": True}


@pytest.mark.parametrize("option", [{}, *({name: value} for name, value in REALMLP.items()), REALMLP])
def test_the_options_of_realmlp_start_as_the_plain_network(option):
    plain, changed = built("mlp", activation="mish"), built("mlp", activation="mish", **option)
    shared = {name: tensor for name, tensor in plain.state_dict().items()}
    if option.get("parametrization"):
        shared = {n: t if t.ndim < 2 or "table" in n else t * t.shape[1] ** 0.5 for n, t in shared.items()}
    missing = changed.load_state_dict(shared, strict=False)
    assert all(name.endswith("shift") for name in missing.missing_keys)
    assert missing.unexpected_keys == []
    torch.testing.assert_close(changed(*rows(MIXED)), plain(*rows(MIXED)))
    spreads = [built("mlp", activation="mish", **chosen)(*rows(MIXED)).std().item() for chosen in ({}, option)]
    assert 0.3 < spreads[1] / spreads[0] < 3, "by its own first weights too"


def test_ntk_moves_the_map_as_far_whatever_its_width():
    """One step of a sign optimizer changes the outputs of wide layers no more than those of narrow ones."""
    moved = {}
    for kind in ("standard", "ntk"):
        for width in (32, 512):
            model = built("mlp", Inputs(8, ()), layers=2, width=width, parametrization=kind)
            numeric, none = torch.randn(256, 8, generator=torch.Generator().manual_seed(0)), torch.zeros(256, 0).long()
            before = model(numeric, none)
            (before.square().mean()).backward()
            with torch.no_grad():
                for parameter in model.parameters():
                    parameter.sub_(0.001 * parameter.grad.sign())
            moved[kind, width] = float((model(numeric, none) - before).abs().mean().detach())
    assert moved["standard", 512] > 8 * moved["standard", 32]
    assert moved["ntk", 512] < 5 * moved["ntk", 32]


def test_a_scaling_layer_multiplies_features_and_a_parametric_activation_mixes_with_its_input():
    scaling, mixing = FeatureScaling(3, 6.0), ParametricActivation("relu", 3, 0.1)
    values = torch.tensor([[1.0, -2.0, 3.0]])
    with torch.no_grad():
        scaling.shift.copy_(torch.tensor([0.0, 0.5, -1 / 6]))
        mixing.shift.copy_(torch.tensor([0.0, -5.0, -10.0]))
    torch.testing.assert_close(scaling(values), torch.tensor([[1.0, -8.0, 0.0]]))
    torch.testing.assert_close(mixing(values), torch.tensor([[1.0, -1.0, 3.0]]))
    stacked = {"shift": torch.stack([scaling.shift.detach(), torch.zeros(3)])}
    for shape in ((1, 3), (2, 1, 3)):
        both = functional_call(scaling, stacked, (values.expand(shape),))
        torch.testing.assert_close(both, torch.stack([scaling(values), values]))


def test_a_bad_option_is_refused_by_its_name():
    class Params(Section):
        model: MODELS.section()

    with pytest.raises(Exception, match=r"model\.width: .*greater than or equal to 1.*it is 0"):
        check({"model": {"kind": "mlp", "width": 0}}, Params, "params.yaml")
    with pytest.raises(Exception, match=r"model\.widths: .*at least 1 item"):
        check({"model": {"kind": "mlp", "widths": []}}, Params, "params.yaml")
    with pytest.raises(Exception, match=r"model\.activation: .*'relu'"):
        check({"model": {"kind": "mlp", "activation": "rleu"}}, Params, "params.yaml")
    with pytest.raises(Exception, match=r"model\.numeric_embeddings\.bins: unknown option"):
        check({"model": {"kind": "mlp", "numeric_embeddings": {"kind": "periodic", "bins": 8}}}, Params, "params.yaml")
    with pytest.raises(Exception, match=r"numeric_embeddings.*Did you mean 'periodic'"):
        check({"model": {"kind": "mlp", "numeric_embeddings": {"kind": "preiodic"}}}, Params, "params.yaml")
    with pytest.raises(Exception, match="Did you mean 'mlp'"):
        check({"model": {"kind": "mpl"}}, Params, "params.yaml")


def test_a_model_that_prepares_nothing_need_not_say_so():
    class Plain(Model):
        def forward(self, numeric, categorical):
            return numeric

    arrays = rows(MIXED)
    assert Plain().prepare(*arrays) == arrays
    assert Plain().prepared_width == 0


def test_the_classes_are_what_the_registry_names():
    assert MODELS["mlp"].cls is MLP
    assert MODELS["linear"].cls is LinearModel
