"""The `evaluate` section: unknown, unfit and doubled metrics are refused with a way out (P34)."""

from typing import Any

import pytest

from goodfit.errors import ConfigurationError
from goodfit.evaluation import EvaluateSection, check_section, chosen_metrics
from goodfit.evaluation.section import DEFAULTS
from goodfit.metrics import METRICS
from goodfit.params import check
from goodfit.registry import Section


class Params(Section):
    evaluate: EvaluateSection = EvaluateSection()


def refused(section: Any) -> str:
    with pytest.raises(ConfigurationError) as caught:
        check({"evaluate": section}, Params, "params.yaml")
    return str(caught.value)


@pytest.mark.parametrize(
    ("section", "parts"),
    [
        ({"metrics": ["acuracy"]}, ("evaluate.metrics.0", "'acuracy'", "Did you mean 'accuracy'?", "log_loss")),
        ({"metrics": ["log_loss", "ROC_AUC"]}, ("evaluate.metrics.1", "'ROC_AUC'", "roc_auc")),
        ({"metrics": ["f1", "recall", "f1"]}, ("evaluate.metrics", "twice: f1")),
        ({"metrics": []}, ("evaluate.metrics", "at least 1")),
        ({"metrics": "log_loss"}, ("evaluate.metrics", "list")),
        ({"metric": ["f1"]}, ("evaluate.metric", "Did you mean 'metrics'?")),
        ({"bootstrap": {"resamples": 10}}, ("evaluate.bootstrap.resamples", "100")),
        ({"bootstrap": {"resamples": 1e9}}, ("evaluate.bootstrap.resamples",)),
        ({"bootstrap": {"level": 95}}, ("evaluate.bootstrap.level", "less than 1")),
        ({"bootstrap": {"level": "high"}}, ("evaluate.bootstrap.level", "needs a number")),
    ],
)
def test_a_fault_names_place_value_and_way_out(section: Any, parts: tuple[str, ...]) -> None:
    message = refused(section)
    assert [part for part in parts if part not in message] == [], message
    assert ".. " not in message


def test_every_fault_is_listed_at_once() -> None:
    message = refused({"metrics": ["nope", "nada"], "bootstrap": {"level": 2}})
    assert len(message.splitlines()) == 3


def test_a_metric_that_does_not_fit_the_task_is_refused() -> None:
    section = EvaluateSection(metrics=["log_loss", "rmse", "r2"])
    with pytest.raises(ConfigurationError) as caught:
        check_section(section, "binary")
    assert [fault.value for fault in caught.value.faults] == ["rmse", "r2"]
    assert "roc_auc" in caught.value.faults[0].remedy
    assert "mae" not in caught.value.faults[0].remedy


@pytest.mark.parametrize("task", list(DEFAULTS))
def test_defaults_fit_their_task(task: Any) -> None:
    names = chosen_metrics(EvaluateSection(), task)
    assert len(names) >= 4
    assert all(task in METRICS[name].facts["tasks"] for name in names)


def test_the_order_of_metrics_is_kept() -> None:
    assert chosen_metrics(EvaluateSection(metrics=["recall", "f1"]), "binary") == ("recall", "f1")
