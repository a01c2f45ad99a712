"""Two different models on the same rows: which is better, by what, and what to beware of."""

import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

from goodfit.bundle import Bundle
from goodfit.calibration import CalibrationSection, calibrated
from goodfit.data import Column, Schema, Table
from goodfit.errors import ConfigurationError
from goodfit.evaluation import Contender, EvaluateSection, compare_models, render_comparison
from goodfit.evaluation.bootstrap_section import BootstrapSection

spec = importlib.util.spec_from_file_location(
    "made_up_models", Path(__file__).parents[1] / "calibration" / "conftest.py"
)
assert spec
assert spec.loader
made_up = importlib.util.module_from_spec(spec)
spec.loader.exec_module(made_up)
make = made_up.made.__wrapped__()
SECTION = EvaluateSection(bootstrap=BootstrapSection(resamples=200))


class Wavy(torch.nn.Module):
    """Another model of the same columns: ranks rows wrongly by a wave."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.columns = model.columns

    def forward(self, numeric: torch.Tensor, categorical: torch.Tensor) -> torch.Tensor:
        logit = numeric[:, self.columns]
        return logit + 2 * torch.sin(4 * logit)


def spoiled(bundle: Bundle) -> Bundle:
    """Return the bundle with the other model."""
    return replace(bundle, model=Wavy(bundle.model).eval())  # type: ignore[arg-type]


def test_the_better_model_is_named_by_metric_and_other_metrics_are_told() -> None:
    bundle, _, test = make("binary", 1.0)
    good, bad = (
        Contender("good", bundle, {"model.width": "64"}),
        Contender("bad", spoiled(bundle), {"model.width": "8"}),
    )
    found, turned = (compare_models(*pair, test, SECTION, 1) for pair in ((good, bad), (bad, good)))
    assert found.headline == "The first model is better than the second by log_loss."
    assert turned.headline == "The second model is better than the first by log_loss."
    assert "The first is better by roc_auc, " in found.others
    assert "The second is better by roc_auc, " in turned.others
    assert found.cautions == ()
    assert found.settings == {"model.width": ("64", "8")}
    assert found.differing
    assert found.to_dict()["metrics"]["log_loss"]["first_minus_second"]["finding"] == "better"
    for text in (found.headline, found.others, "model.width", "good", "bad"):
        assert text in render_comparison(found)


def test_equal_scores_and_other_thresholds_are_no_difference_by_the_first_metric() -> None:
    bundle, valid, test = make("binary", 1.0)
    eager = calibrated(
        bundle, valid, CalibrationSection(temperature=False, threshold={"kind": "recall", "target": 0.98})
    )
    found = compare_models(Contender("half", bundle), Contender("eager", eager), test, SECTION, 1)
    assert found.headline == "No difference is shown by log_loss."
    assert "accuracy" in found.others, "a difference that only decisions show is told all the same"
    assert len(found.cautions) == 1
    assert "the second from" in found.cautions[0]
    assert "figures of decisions" in render_comparison(found)


def test_one_model_twice_and_two_questions_are_seen() -> None:
    bundle, _, test = make("binary", 1.0)
    found = compare_models(Contender("a", bundle), Contender("b", bundle), test, SECTION, 1)
    assert found.cautions == ("They answer alike on every row: it may be one model.",)
    other, _, _ = make("regression", 1.0)
    with pytest.raises(ConfigurationError, match="needs two answers to one question"):
        compare_models(Contender("a", bundle), Contender("b", other), test, SECTION, 1)


def test_rows_that_follow_in_time_are_drawn_in_stretches() -> None:
    """The rows that one model gets wrong lie beside each other in time: fewer things are known about it than rows."""
    bundle, _, test = make("binary", 1.0)
    answers = pd.Series(bundle.predict(test.frame)[:, 1])
    at = pd.Timestamp("2024-01-01") + pd.to_timedelta(answers.rank(method="first"), unit="h")
    columns = (*test.schema.columns, Column("at", "datetime", "time"))
    schema = Schema(columns, test.schema.task, test.schema.classes)
    timed = Table(test.frame.reset_index(drop=True).assign(at=at), schema)
    pair: Any = Contender("a", bundle), Contender("b", spoiled(bundle))
    alone, stretched = (compare_models(*pair, timed, SECTION, 1, in_time=mode) for mode in (False, True))
    widths = [found.comparison["log_loss"].high - found.comparison["log_loss"].low for found in (alone, stretched)]
    assert widths[1] > 1.3 * widths[0]
