"""Many members trained as one stack: each comes out as if it had been alone."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from goodfit.models import MODELS, NUMERIC_EMBEDDINGS, Inputs, Model
from goodfit.optimizers import OPTIMIZERS
from goodfit.regularizers import REGULARIZERS
from goodfit.schedules import SCHEDULES
from goodfit.training import Candidate, Epoch, Finished, Recipe, RowStore, TrainingData, fit, fit_population
from goodfit.training.population import keeper
from goodfit.training.population.grouping import grouped
from goodfit.training.start import started

Made = Callable[..., tuple[Recipe, TrainingData]]
TOLERANCE = 1e-5


def scaled(options: dict[str, Any], factor: float) -> dict[str, Any]:
    return {name: value * factor if isinstance(value, float) else value for name, value in options.items()}


def members(make: Made, count: int, regularization: dict[str, Any] | None = None, **changes: Any) -> list[Candidate]:
    """Candidates of one form whose every number differs: rate, strengths, seed."""
    training = {"epochs": 3, **changes.pop("training", {})}
    optimizer = training.pop("optimizer", {"kind": "adamw"})
    found = []
    data: TrainingData | None = None
    for number in range(count):
        factor = 1 - number / (2 * count)
        settings = {name: scaled(options, factor) for name, options in (regularization or {}).items()}
        rate = {**optimizer, "lr": 0.01 * factor}
        recipe, rows = make(regularization=settings, training={**training, "optimizer": rate}, **changes)
        data = data or rows
        found.append(Candidate(10 + number, recipe, seed=number + 1, data=data))
    return found


def trained(candidates: Sequence[Candidate], **options: Any) -> dict[int, Finished]:
    options.setdefault("state", None)
    return {finished.number: finished for finished in fit_population(candidates, **options)}


def alone(candidate: Candidate) -> list[Epoch]:
    return fit(candidate.recipe, candidate.data, seed=candidate.seed, state=None, progress=False).epochs


def curves(epochs: Sequence[Epoch]) -> list[list[float]]:
    return [[epoch.metrics[name] for name in sorted(epoch.metrics)] for epoch in epochs]


def numbers(finished: Finished) -> tuple[list[list[float]], dict[str, bytes]]:
    assert finished.fitted is not None, finished.error
    state = finished.fitted.model.state_dict()
    return curves(finished.fitted.epochs), {name: tensor.numpy().tobytes() for name, tensor in state.items()}


def assert_as_alone(candidates: Sequence[Candidate], which: Sequence[int] = (0, -1)) -> None:
    together = trained(candidates)
    for candidate in [candidates[index] for index in which]:
        found = together[candidate.number]
        assert found.fitted is not None, found.error
        expected = torch.tensor(curves(alone(candidate)))
        assert len(expected) == candidate.recipe.training.epochs
        torch.testing.assert_close(torch.tensor(curves(found.fitted.epochs)), expected, rtol=0, atol=TOLERANCE)


def stacks(candidates: Sequence[Candidate]) -> list[int]:
    return [len(part) for part in grouped([started(candidate) for candidate in candidates])]


@pytest.mark.parametrize("target", ["churn", pytest.param("level", marks=pytest.mark.slow)])
def test_each_of_sixteen_comes_out_as_alone_with_everything_on(
    make: Made, target: str, regularizer_settings: Any
) -> None:
    every = regularizer_settings.together()
    assert set().union(*every) == set(REGULARIZERS)
    for settings in every:
        candidates = members(make, 16, settings, target=target)
        assert stacks(candidates) == [16]
        assert_as_alone(candidates, which=(0, 7, 15))


@pytest.mark.parametrize("kind", REGULARIZERS)
def test_each_regularizer_stacks(make: Made, kind: str, regularizer_settings: Any) -> None:
    candidates = members(make, 3, regularizer_settings.on(kind))
    assert stacks(candidates) == [3]
    assert_as_alone(candidates)


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_each_optimizer_stacks_with_decay(make: Made, kind: str) -> None:
    candidates = members(make, 3, {"weight_decay": {"strength": 0.1}}, training={"optimizer": {"kind": kind}})
    assert stacks(candidates) == [3]
    assert_as_alone(candidates)


@pytest.mark.parametrize("kind", SCHEDULES)
def test_schedules_of_all_kinds_share_a_stack(make: Made, kind: str) -> None:
    plain = members(make, 2)
    one = members(make, 1, training={"schedule": {"kind": kind}})[0]
    candidates = [*plain, replace(one, number=1, data=plain[0].data)]
    assert stacks(candidates) == [3]
    assert_as_alone(candidates, which=(2,))


SMALL = {
    "resnet": {"layers": 2, "width": 16},
    "ft_transformer": {"layers": 1, "width": 8, "heads": 2, "expansion": 1.0},
    "tabm": {"layers": 2, "width": 16, "members": 4},
}


@pytest.mark.parametrize("kind", [kind for kind in MODELS if MODELS[kind].facts["vectorizes"]])
@pytest.mark.parametrize("target", ["churn", "level", "price"])
def test_each_model_that_says_so_vectorizes(make: Made, kind: str, target: str) -> None:
    candidates = members(make, 3, model={"kind": kind, **SMALL.get(kind, {})}, target=target)
    assert stacks(candidates) == [3]
    assert_as_alone(candidates)


@pytest.mark.parametrize("target", ["churn", "price"])
def test_the_options_of_realmlp_stack(make: Made, target: str) -> None:
    realmlp = {"feature_scaling": True, "parametrization": "ntk", "parametric_activation": True, "activation": "mish"}
    model = {"kind": "mlp", "layers": 2, "width": 16, **realmlp}
    rate = {"optimizer": {"kind": "adam", "beta2": 0.95}, "schedule": {"kind": "coslog4"}}
    candidates = members(make, 3, {"spectral_norm": {"norm": 1.0}}, model=model, target=target, training=rate)
    assert stacks(candidates) == [3]
    assert_as_alone(candidates)


def test_each_answer_of_a_tabm_has_its_own_loss_and_all_of_them_predict(make: Made) -> None:
    still = {"epochs": 1, "optimizer": {"kind": "sgd", "lr": 1e-12}}
    recipe, data = make(model={"kind": "tabm", **SMALL["tabm"]}, regularization={}, training=still)
    fitted = fit(recipe, data, seed=1, state=None, progress=False)
    rows = torch.from_numpy(data.train.numeric), torch.from_numpy(data.train.categorical)
    target = torch.from_numpy(data.train_target).float()
    with torch.no_grad():
        apart, together = fitted.model.train()(*rows), fitted.model.eval()(*rows)
    assert apart.shape == (len(target), 4, 1)
    each = nn.functional.binary_cross_entropy_with_logits(apart[..., 0], target[:, None].expand(-1, 4))
    pooled = nn.functional.binary_cross_entropy(apart[..., 0].sigmoid().mean(dim=1), target)
    assert fitted.epochs[0].metrics["train/objective"] == pytest.approx(float(each), abs=1e-5)
    torch.testing.assert_close(nn.functional.binary_cross_entropy_with_logits(together[:, 0], target), pooled)
    assert float(pooled) < float(each), "the mean of predictions is better than the mean of losses (Jensen)"


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=[pytest.mark.slow] if kind == "ft_transformer" else []) for kind in SMALL]
)
def test_everything_on_in_other_models_stacks(make: Made, kind: str, regularizer_settings: Any) -> None:
    for settings in regularizer_settings.together():
        model = {"kind": kind, **SMALL[kind]}
        candidates = members(make, 2, settings, model=model, rows=120, training={"epochs": 2})
        assert stacks(candidates) == [2]
        assert_as_alone(candidates, which=(1,))


@pytest.mark.parametrize("kind", NUMERIC_EMBEDDINGS)
def test_numeric_embeddings_stack(make: Made, kind: str) -> None:
    model = {"kind": "mlp", "layers": 1, "width": 16, "numeric_embeddings": {"kind": kind}}
    candidates = members(make, 3, {"weight_decay": {"strength": 0.1}}, model=model)
    assert stacks(candidates) == [3]
    assert_as_alone(candidates)


def test_embedded_columns_stack(make: Made) -> None:
    assert_as_alone(members(make, 3, model={"kind": "mlp", "max_one_hot": 0}))


@pytest.mark.parametrize("kind", REGULARIZERS)
def test_zero_strength_equals_absence_in_a_stack(make: Made, kind: str, regularizer_settings: Any) -> None:
    absent, zero = (trained(members(make, 2, settings)) for settings in ({}, regularizer_settings.off(kind)))
    assert [numbers(found) for found in absent.values()] == [numbers(found) for found in zero.values()]


def test_what_differs_in_form_is_in_another_stack(make: Made) -> None:
    plain = members(make, 2)
    others = [
        *members(make, 1, {"dropout": {"p": 0.1}}),
        *members(make, 1, model={"kind": "mlp", "width": 24}),
        *members(make, 1, training={"optimizer": {"kind": "sgd"}}),
        *members(make, 1, training={"batch_size": 64}),
    ]
    candidates = [*plain, *(replace(c, number=n, data=plain[0].data) for n, c in enumerate(others))]
    assert stacks(candidates) == [2, 1, 1, 1, 1]
    assert set(trained(candidates)) == {c.number for c in candidates}


def test_the_judge_sees_every_living_member_and_losers_leave_the_others_alone(make: Made) -> None:
    candidates = members(make, 8, {"dropout": {"p": 0.1}}, training={"epochs": 5})
    seen: list[tuple[int, list[int]]] = []

    def judge(epoch: int, losses: Any) -> list[int]:
        seen.append((epoch, sorted(losses)))
        return [10, 13] if epoch == 1 else [17] if epoch == 3 else []

    judged, free = trained(candidates, judge=judge), trained(candidates)
    everyone = list(range(10, 18))
    assert seen[0] == (1, everyone)
    assert seen[1] == (2, [n for n in everyone if n not in (10, 13)])
    assert seen[4] == (5, [11, 12, 14, 15, 16])
    assert {n: found.state for n, found in judged.items() if found.state != "COMPLETE"} == dict.fromkeys(
        (10, 13, 17), "PRUNED"
    )
    assert [len(judged[n].fitted.epochs) for n in (10, 13, 17, 11)] == [1, 1, 3, 5]  # type: ignore[union-attr]
    for number in (11, 12, 14, 15, 16):
        left, stayed = judged[number].fitted, free[number].fitted
        assert left is not None and stayed is not None
        torch.testing.assert_close(
            torch.tensor(curves(left.epochs)), torch.tensor(curves(stayed.epochs)), atol=TOLERANCE, rtol=0
        )


def test_members_that_end_by_themselves_are_complete_whatever_the_judge_says(make: Made) -> None:
    candidates = [*members(make, 2), replace(members(make, 1, training={"epochs": 1})[0], number=0)]
    found = trained(candidates, judge=lambda epoch, losses: [0] if epoch == 1 else list(losses))
    assert {n: f.state for n, f in found.items()} == {0: "COMPLETE", 10: "PRUNED", 11: "PRUNED"}


def test_who_stops_early_leaves_with_the_best_weights(make: Made) -> None:
    candidates = members(make, 4, {"early_stopping": {"patience": 2}}, training={"epochs": 40})
    together = trained(candidates)
    for candidate in candidates:
        one = fit(candidate.recipe, candidate.data, seed=candidate.seed, state=None, progress=False)
        many = together[candidate.number].fitted
        assert many is not None
        assert (many.best_epoch, len(many.epochs)) == (one.best_epoch, len(one.epochs))
        assert many.parameters == one.parameters
        for name, tensor in one.model.state_dict().items():
            torch.testing.assert_close(many.model.state_dict()[name], tensor, atol=1e-4, rtol=1e-3)
    assert len({len(f.fitted.epochs) for f in together.values() if f.fitted}) > 1


def test_a_member_that_diverges_fails_alone_and_touches_no_bit_of_the_others(make: Made) -> None:
    candidates = members(make, 4, {"batch_norm": {"enabled": True}, "gradient_clip": {"norm": 1.0}})
    wild = [replace(c, recipe=exploding(c.recipe)) if c.number == 11 else c for c in candidates]
    assert stacks(wild) == [4]
    sane = trained(candidates, judge=lambda epoch, _: [11] if epoch == 1 else [])
    found = trained(wild)
    assert found[11].state == "FAIL"
    assert found[11].fitted is None
    assert found[11].error.startswith("epoch 1: train/loss: is not finite: the training has diverged")
    for number in (10, 12, 13):
        assert numbers(found[number]) == numbers(sane[number])


def exploding(recipe: Recipe) -> Recipe:
    """A step so long that the first epoch ends in NaN, in the form of the others."""
    options = OPTIMIZERS["adamw"].options(lr=100.0)
    decay = type(recipe.regularization).model_validate(
        recipe.regularization.model_dump() | {"weight_decay": {"strength": 1000.0}}
    )
    return replace(recipe, regularization=decay, training=recipe.training.model_copy(update={"optimizer": options}))


def test_what_cannot_be_trained_fails_alone(make: Made) -> None:
    candidates = members(make, 2)
    bad = replace(members(make, 1, training={"batch_size": 100_000})[0], number=5)
    found = trained([*candidates, bad])
    assert found[5].state == "FAIL"
    assert "batch_size" in found[5].error
    assert [found[n].state for n in (10, 11)] == ["COMPLETE"] * 2


def test_numbers_are_unique(make: Made) -> None:
    with pytest.raises(ValueError, match="must be unique"):
        trained(members(make, 1) * 2)


class Foreign(Model):
    """A model of nn.Linear alone, as a newcomer writes it; if noisy, with random numbers of torch."""

    def __init__(self, inputs: Inputs, outputs: int, blocks: Any, *, noisy: bool = False) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(inputs.numeric, 8, bias=not blocks.recentres), *blocks.before_activation(0, 1, 8), nn.Tanh()
        )
        self.tail = nn.Sequential(*blocks.after_activation(0, 1, 8), nn.Linear(8, outputs))
        self.noise = nn.Dropout(0.3 if noisy else 0.0)

    def forward(self, numeric: Tensor, categorical: Tensor) -> Tensor:
        logits: Tensor = self.tail(self.noise(self.body(numeric)))
        return logits


@pytest.fixture
def foreign(monkeypatch: pytest.MonkeyPatch, make: Made, regularizer_settings: Any) -> Callable[..., list[Candidate]]:
    """Candidates with a model that is registered for this test alone."""

    registered = dict(MODELS._members)
    monkeypatch.setattr(MODELS, "_members", registered)

    def candidates(vectorizes: bool, count: int = 3, **options: Any) -> list[Candidate]:
        MODELS.register("foreign", vectorizes=vectorizes, hidden_layers=True)(Foreign)
        settings = regularizer_settings.together()[0]
        every = members(make, count, {name: options for name, options in settings.items() if name != "early_stopping"})
        model = MODELS["foreign"].options(**options)
        return [replace(c, recipe=replace(c.recipe, model=model)) for c in every]

    return candidates


def test_a_model_that_knows_no_stack_runs_under_vmap(foreign: Callable[..., list[Candidate]]) -> None:
    candidates = foreign(vectorizes=True)
    assert stacks(candidates) == [3]
    assert_as_alone(candidates)


def test_a_model_that_does_not_vectorize_is_trained_by_itself(foreign: Callable[..., list[Candidate]]) -> None:
    candidates = foreign(vectorizes=False, noisy=True)
    assert stacks(candidates) == [1, 1, 1]
    together = trained(candidates)
    for candidate in candidates:
        assert curves(together[candidate.number].fitted.epochs) == curves(alone(candidate))  # type: ignore[union-attr]


def test_a_model_with_random_numbers_of_torch_resumes_to_the_same_bits(
    foreign: Callable[..., list[Candidate]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "SHARE", 1)  # a checkpoint after every epoch
    candidates = foreign(vectorizes=False, noisy=True)
    undisturbed = trained(candidates)

    def stop(_: int, epoch: Epoch) -> None:
        if epoch.number == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained(candidates, state=tmp_path, on_epoch=stop)
    restored: list[bool] = []
    again = trained(candidates, state=tmp_path, on_epoch=lambda _, epoch: restored.append(epoch.restored))
    assert restored.count(True) >= 3
    assert not all(restored)
    assert [numbers(again[number]) for number in again] == [numbers(undisturbed[number]) for number in again]


@pytest.mark.parametrize("durable", [True, False])
def test_epochs_are_reported_before_the_member_is_yielded(make: Made, tmp_path: Path, durable: bool) -> None:
    heard: list[Any] = []

    def listen(number: int, epoch: Epoch) -> None:
        heard.append((number, epoch.number))

    for finished in fit_population(members(make, 3), state=tmp_path if durable else None, on_epoch=listen):
        heard.append(finished.number)
    assert [h for h in heard if h == 11 or (isinstance(h, tuple) and h[0] == 11)] == [(11, 1), (11, 2), (11, 3), 11]


def test_an_equal_call_yields_the_same_again_and_trains_nothing(make: Made, tmp_path: Path) -> None:
    candidates = members(make, 3, {"dropout": {"p": 0.1}})
    epochs: list[Epoch] = []
    first = trained(candidates, state=tmp_path)
    again = trained(candidates, state=tmp_path, on_epoch=lambda _, epoch: epochs.append(epoch))
    assert all(epoch.restored for epoch in epochs)
    assert len(epochs) == 9
    assert [numbers(first[n]) for n in first] == [numbers(again[n]) for n in first]


def test_state_of_other_candidates_is_not_taken_up(make: Made, tmp_path: Path) -> None:
    candidates = members(make, 3)
    trained(candidates, state=tmp_path)
    epochs: list[Epoch] = []
    trained([replace(c, seed=99) for c in candidates], state=tmp_path, on_epoch=lambda _, epoch: epochs.append(epoch))
    assert not any(epoch.restored for epoch in epochs)


def test_an_error_of_the_listener_comes_out_unchanged(make: Made) -> None:
    def listen(number: int, epoch: Epoch) -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        trained(members(make, 2), on_epoch=listen)


def test_torch_is_left_as_it_was(make: Made) -> None:
    torch.manual_seed(5)
    before = torch.random.get_rng_state(), torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    for _ in fit_population(members(make, 2), state=None):
        assert torch.are_deterministic_algorithms_enabled() is before[2]
    assert torch.equal(torch.random.get_rng_state(), before[0])
    assert (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()) == before[1:]


def test_rows_are_prepared_once_for_all_populations_over_the_same_data(make: Made) -> None:
    rows = RowStore()
    first, second = members(make, 2), members(make, 2)
    shared = [replace(candidate, data=first[0].data) for candidate in second]
    known = [rows.prepared(started(candidate)) for candidate in (first[0], shared[0])]
    assert known[0][0] is known[1][0]
    assert rows.prepared(started(second[0]))[0] is not known[0][0], "other data, other rows"
    assert trained(first, rows=rows)[10].state == "COMPLETE"
