"""What a fit promises: equal runs give equal bits, the metrics mean what they say, and nothing outside is touched."""

import os
import signal
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pytorch_lightning import Trainer

from goodfit.bundle import tensor
from goodfit.errors import ConfigurationError, DataError, Interrupted, MachineError
from goodfit.models import MODELS
from goodfit.optimizers import OPTIMIZERS
from goodfit.regularizers import REGULARIZERS
from goodfit.schedules import SCHEDULES
from goodfit.tasks import task_named
from goodfit.training import DivergedError, Epoch, Fitted, Recipe, TrainingData, check_fit, fit, write_curves
from goodfit.training.batches import Batch
from goodfit.training.history import History

Made = Callable[..., tuple[Recipe, TrainingData]]


def fitted(recipe: Recipe, data: TrainingData, seed: int = 1, **options: Any) -> Fitted:
    return fit(recipe, data, seed=seed, **({"state": None, "progress": False} | options))


def numbers(model: torch.nn.Module) -> list[Any]:
    return [(name, tensor.numpy().tobytes()) for name, tensor in sorted(model.state_dict().items())]


def losses(result: Fitted) -> list[dict[str, float]]:
    return [dict(epoch.metrics) for epoch in result.epochs]


@pytest.mark.parametrize("target", ["churn", "level", "price"])
def test_the_loss_falls_in_every_task_and_equal_runs_give_equal_bits(make: Made, target: str) -> None:
    recipe, data = make(target)
    first, second = fitted(recipe, data), fitted(recipe, data)
    assert first.epochs[-1].metrics["valid/loss"] < first.epochs[0].metrics["valid/loss"]
    assert numbers(first.model) == numbers(second.model)
    assert losses(first) == losses(second)
    assert numbers(fitted(recipe, data, seed=2).model) != numbers(first.model)  # the comparison can fail


def test_the_random_state_outside_is_neither_used_nor_moved(churn: tuple[Recipe, TrainingData]) -> None:
    torch.manual_seed(1)
    first = fitted(*churn)
    after = torch.rand(1)
    torch.manual_seed(1)
    assert torch.equal(torch.rand(1), after)
    torch.manual_seed(99)
    assert numbers(fitted(*churn).model) == numbers(first.model)


def test_threads_and_deterministic_kernels_are_set_inside_and_put_back(make: Made) -> None:
    recipe, data = make(training={"threads": 2, "epochs": 1})
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    seen: list[Any] = []

    def look(_: Epoch) -> None:
        seen.append((torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()))

    result = fitted(recipe, data, on_epoch=look)
    assert seen == [(2, True)]
    assert (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()) == before
    assert result.machine["threads"] == 2


def batch_of(part: Any, target: np.ndarray) -> Batch:
    return Batch(tensor(part.numeric), tensor(part.categorical), tensor(target).float())


def plain_loss(model: torch.nn.Module, data: TrainingData) -> float:
    rows = batch_of(data.valid, data.valid_target)
    with torch.no_grad():
        return float(task_named("binary").loss(model(rows.numeric, rows.categorical), rows.target).mean())


def test_valid_loss_is_the_plain_loss_of_the_kept_weights(make: Made) -> None:
    smooth = {"label_smoothing": {"strength": 0.3}, "dropout": {"p": 0.5}, "weight_decay": {"strength": 0.1}}
    recipe, data = make(regularization=smooth)
    result = fitted(recipe, data)
    assert result.valid_loss == pytest.approx(plain_loss(result.model, data), rel=1e-6)
    assert result.valid_loss == result.epochs[-1].metrics["valid/loss"]


def test_train_loss_is_measured_like_valid_loss_on_train_rows(make: Made) -> None:
    recipe, data = make(regularization={"dropout": {"p": 0.5}})
    same = TrainingData(data.preprocessor, data.train, data.train_target, data.train, data.train_target)
    compared = 0
    for epoch in fitted(recipe, same).epochs:
        assert epoch.metrics["train/loss"] == pytest.approx(epoch.metrics["valid/loss"], rel=1e-6)
        assert epoch.metrics["train/objective"] != epoch.metrics["train/loss"]
        compared += 1
    assert compared == 4


def test_the_generalization_gap_is_a_curve(make: Made) -> None:
    epochs = fitted(*make()).epochs
    assert len(epochs) == 4
    for epoch in epochs:
        gap = epoch.metrics["valid/loss"] - epoch.metrics["train/loss"]
        assert epoch.metrics["generalization_gap/loss"] == gap
    assert len({epoch.metrics["generalization_gap/loss"] for epoch in epochs}) == 4


def test_the_best_epoch_is_kept_and_training_stops_when_nothing_improves(make: Made) -> None:
    stop = {"early_stopping": {"patience": 3}}
    recipe, data = make(regularization=stop, training={"epochs": 60, "optimizer": {"kind": "adam", "lr": 0.05}})
    result = fitted(recipe, data)
    valid = [epoch.metrics["valid/loss"] for epoch in result.epochs]
    assert len(valid) < 60
    assert result.best_epoch == valid.index(min(valid)) + 1 == len(valid) - 3
    assert result.valid_loss == min(valid)
    assert plain_loss(result.model, data) == pytest.approx(min(valid), rel=1e-6)


def test_the_learning_rate_follows_the_schedule_over_all_steps(make: Made) -> None:
    recipe, data = make(training={"schedule": {"kind": "step", "drops": 1, "factor": 0.5}})
    assert [epoch.metrics["lr"] for epoch in fitted(recipe, data).epochs] == [0.01, 0.01, 0.005, 0.005]


def test_epochs_are_reported_in_order_with_their_time(churn: tuple[Recipe, TrainingData]) -> None:
    seen: list[Epoch] = []
    result = fitted(*churn, on_epoch=seen.append)
    assert [epoch.number for epoch in seen] == [1, 2, 3, 4]
    assert seen == result.epochs
    assert all(epoch.seconds > 0 and not epoch.restored for epoch in seen)
    assert result.seconds == pytest.approx(sum(epoch.seconds for epoch in seen))
    assert result.cpu_seconds > 0
    assert result.parameters == sum(p.numel() for p in result.model.parameters())
    assert not result.model.training


@pytest.mark.parametrize("optimizer", sorted(OPTIMIZERS))
def test_every_optimizer_trains_equal_bits_after_a_crash(make: Made, tmp_path: Path, optimizer: str) -> None:
    section = {"optimizer": {"kind": optimizer}, "epochs": 3}
    recipe, data = make(training=section)
    assert numbers(resumed(recipe, data, tmp_path, after=2).model) == numbers(fitted(recipe, data).model)


@pytest.mark.parametrize("schedule", sorted(SCHEDULES))
def test_every_schedule_trains_equal_bits_after_a_crash(make: Made, tmp_path: Path, schedule: str) -> None:
    recipe, data = make(training={"schedule": {"kind": schedule}, "epochs": 3})
    assert numbers(resumed(recipe, data, tmp_path, after=2).model) == numbers(fitted(recipe, data).model)


@pytest.mark.parametrize("model", sorted(MODELS))
def test_every_model_trains_equal_bits_after_a_crash(make: Made, tmp_path: Path, model: str) -> None:
    recipe, data = make(model={"kind": model}, regularization={}, training={"epochs": 3})
    assert numbers(resumed(recipe, data, tmp_path, after=2).model) == numbers(fitted(recipe, data).model)


@pytest.mark.parametrize("kind", sorted(REGULARIZERS))
def test_every_regularizer_trains_equal_bits_after_a_crash(
    make: Made, tmp_path: Path, kind: str, regularizer_settings: Any
) -> None:
    recipe, data = make(regularization=regularizer_settings.on(kind), training={"epochs": 3})
    assert numbers(resumed(recipe, data, tmp_path, after=2).model) == numbers(fitted(recipe, data).model)


class Crash(Exception):
    """Stands for the end of the process."""


def resumed(recipe: Recipe, data: TrainingData, state: Path, after: int) -> Fitted:
    def crash(epoch: Epoch) -> None:
        if epoch.number == after:
            raise Crash

    with pytest.raises(Crash):
        fitted(recipe, data, state=state, on_epoch=crash)
    assert list(state.glob("epoch-*.pt"))
    return fitted(recipe, data, state=state)


@pytest.mark.parametrize("error", [Crash(), Interrupted(15), KeyboardInterrupt(), SystemExit(3)])
def test_what_ends_a_fit_comes_out_unchanged(churn: tuple[Recipe, TrainingData], error: BaseException) -> None:
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]

    def end(_: Epoch) -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        fitted(*churn, on_epoch=end)
    assert caught.value is error
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == handlers


@pytest.mark.parametrize("lr", [99.0, 30.0])
def test_a_diverged_training_ends_with_its_epoch_and_a_way_out(make: Made, tmp_path: Path, lr: float) -> None:
    recipe, data = make("price", training={"optimizer": {"kind": "sgd", "lr": lr}, "epochs": 50}, regularization={})
    with pytest.raises(DivergedError, match=r"epoch \d+: (train|valid)/\w+: is not finite.*gradient_clip") as caught:
        fitted(recipe, data, state=tmp_path)
    assert caught.value.exit_code == 2


def test_a_batch_larger_than_the_train_rows_is_refused_with_the_rest(make: Made) -> None:
    recipe, data = make("price", training={"batch_size": 301}, regularization={"label_smoothing": {"strength": 0.1}})
    with pytest.raises(ConfigurationError) as caught:
        fitted(recipe, data)
    assert len(caught.value.faults) == 2
    assert "training.batch_size: is larger than the 300 train rows (it is 301). Set at most 300." in str(caught.value)
    check_fit(make(training={"batch_size": 300})[0], 300)


def test_an_empty_valid_split_is_refused(make: Made) -> None:
    recipe, data = make()
    none = type(data.valid)(data.valid.numeric[:0], data.valid.categorical[:0])
    with pytest.raises(DataError, match="no rows"):
        fitted(recipe, TrainingData(data.preprocessor, data.train, data.train_target, none, data.valid_target[:0]))


def test_cuda_on_a_machine_without_is_refused_with_a_way_out(make: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    recipe, data = make(training={"device": "cuda"})
    with pytest.raises(MachineError, match=r"training\.device: auto") as caught:
        fitted(recipe, data)
    assert caught.value.exit_code == 4
    recipe, data = make(training={"device": "auto", "epochs": 1})
    assert fitted(recipe, data).machine["device"] == "cpu"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_fit_on_a_gpu_resumes_and_comes_back_to_the_cpu(make: Made, tmp_path: Path) -> None:
    recipe, data = make(training={"device": "cuda", "epochs": 3})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = resumed(recipe, data, tmp_path, after=2)
        assert numbers(result.model) == numbers(fitted(recipe, data).model)
    assert {p.device.type for p in result.model.parameters()} == {"cpu"}


def test_batch_size_that_leaves_one_row_trains_with_batch_norm(make: Made) -> None:
    recipe, data = make(training={"batch_size": 299}, regularization={"batch_norm": {"enabled": True}})
    assert np.isfinite(fitted(recipe, data).valid_loss)


def test_one_hot_columns_that_do_not_fit_into_memory_are_made_in_each_step(
    churn: tuple[Recipe, TrainingData], monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared = numbers(fitted(*churn).model)
    monkeypatch.setattr("goodfit.training.member.PREPARED_BYTES", 0)
    assert numbers(fitted(*churn).model) == prepared


def test_a_history_refuses_weights_that_are_gone() -> None:
    history = History()
    for number in (1, 2):
        history.add(Epoch(number, {"valid/loss": 1.0}, 0.1), number - 1)
    with pytest.raises(RuntimeError, match="epoch 1 shall be kept"):
        history.add(Epoch(3, {"valid/loss": 1.0}, 0.1), 0)


def test_curves_hold_every_metric_that_occurs(tmp_path: Path) -> None:
    write_curves(tmp_path / "c.csv", [{"epoch": 1, "b": 0.5}, {"epoch": 2, "a": 1.5, "b": 0.25}], first=("epoch",))
    assert (tmp_path / "c.csv").read_text() == "epoch,a,b\n1,,0.5\n2,1.5,0.25\n"


def test_nothing_is_written_but_checkpoints(
    churn: tuple[Recipe, TrainingData], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    fitted(*churn, state=tmp_path / "state")
    fitted(*churn)
    assert list((tmp_path / "here").iterdir()) == []
    assert {path.name.split(".", 1)[1] for path in (tmp_path / "state").iterdir()} == {"pt", "pt.sha256"}


ENVIRONMENT = {
    "PL_GLOBAL_SEED": "abc",
    "PL_TRAINER_MAX_STEPS": "1",
    "PL_TRAINER_FAST_DEV_RUN": "True",
    "PL_TRAINER_BAREBONES": "True",
    "MLFLOW_TRACKING_URI": "nowhere://",
    "MLFLOW_RUN_ID": "0" * 32,
    "SLURM_NTASKS": "2",
    "SLURM_JOB_ID": "1",
    "SLURM_JOB_NAME": "job",
    "SLURM_PROCID": "1",
    "LOCAL_RANK": "1",
    "WORLD_SIZE": "2",
}


@pytest.mark.parametrize("name", ENVIRONMENT)
def test_the_environment_does_not_reach_the_trainer(
    churn: tuple[Recipe, TrainingData], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    undisturbed = numbers(fitted(*churn).model)
    monkeypatch.setenv(name, ENVIRONMENT[name])
    assert numbers(fitted(*churn).model) == undisturbed


def test_trap_a_trainer_takes_what_it_was_not_told_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PL_TRAINER_MAX_STEPS", "1")
    assert Trainer(logger=False, enable_progress_bar=False, enable_checkpointing=False).max_steps == 1


def test_no_environment_variable_is_left_behind(churn: tuple[Recipe, TrainingData]) -> None:
    before = dict(os.environ)
    fitted(*churn)
    assert dict(os.environ) == before
