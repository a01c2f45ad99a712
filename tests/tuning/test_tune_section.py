"""The tune section: every impossible space is refused before anything runs (P16 to P20 of the fault plan)."""

import math
from collections.abc import Callable
from typing import Any

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goodfit.errors import ConfigurationError
from goodfit.params import check
from goodfit.registry import Section
from goodfit.tuning import Axis, Dimension, Space, TuneSection
from goodfit.tuning.proposing import Proposer


class Params(Section):
    tune: TuneSection = TuneSection()


def refused(tune: Any) -> str:
    with pytest.raises(ConfigurationError) as caught:
        check({"tune": tune}, Params, "params.yaml")
    return str(caught.value)


@pytest.mark.parametrize(
    ("dimension", "message"),
    [
        ({"low": 2, "high": 1}, "low 2 is above high 1"),
        ({"low": 0, "high": 1, "log": True}, "low 0 has no logarithm"),
        ({"low": -1.0, "high": 1, "log": True}, "low -1.0 has no logarithm"),
        ({"low": 1, "high": 2, "step": 5}, "step 5 is larger than the range"),
        ({"low": 0.0, "high": 1.0, "step": 0.3}, "Write 0.9."),
        ({"low": 8, "high": 30, "step": 8}, "Write 24."),
        ({"low": 0.0, "high": 1.0, "step": 0}, "greater than 0"),
        ({"low": 0.0, "high": 1.0, "step": -0.1}, "greater than 0"),
        ({"low": 0.0, "high": 1.0, "step": 1e-9}, "makes more than 1,000,000 values"),
        ({"low": 1.0, "high": 10.0, "step": 1.0, "log": True}, "log and step exclude each other"),
        ({"choices": []}, "choices are empty"),
        ({"choices": ["a", "b", "a"]}, "choice 'a' equals an earlier one"),
        ({"choices": [1, 1.0]}, "choice 1.0 equals an earlier one"),
        ({"choices": [1, True]}, "choice True equals an earlier one"),
        ({"choices": [[64, 64], [32]]}, "is not a plain value"),
        ({"choices": [{"kind": "adam"}]}, "is not a plain value"),
        ({"choices": [0.1, math.nan]}, "not a finite number"),
        ({"choices": list(range(1_001))}, "Search a range instead"),
        ({"choices": [1, 2], "low": 1}, "choices and low exclude each other"),
        ({"choices": [1, 2], "log": True}, "choices and log exclude each other"),
        ({"choices": "adam"}, "list"),
        ({"low": 1}, "needs low and high, or choices"),
        ({}, "needs low and high, or choices"),
        ({"low": math.nan, "high": 1}, "finite"),
        ({"low": 0, "high": math.inf}, "finite"),
        ({"low": -1.7e308, "high": 1.7e308}, "too wide"),
        ({"low": 0, "high": 2**60}, "too large for a whole number"),
        ({"low": "1", "high": 2}, "needs a number, not text"),
        ({"low": True, "high": 2}, "not a truth value"),
        ({"low": 1, "high": 2, "stp": 1}, "Did you mean 'step'?"),
        (None, "valid dictionary"),
        ([1, 2], "valid dictionary"),
    ],
)
def test_a_wrong_dimension_is_refused_by_its_place(dimension: Any, message: str) -> None:
    text = refused({"trials": 3, "space": {"model.width": dimension}})
    assert message in text
    assert text.startswith("params.yaml: tune.space.model.width")
    assert len(text.splitlines()) == 1


@pytest.mark.parametrize(
    ("tune", "message"),
    [
        ({"trials": -1}, "tune.trials"),
        ({"trials": 1.5}, "whole number"),
        ({"trials": 3}, "trials but no space"),
        ({"trials": 3, "space": {}}, "set tune.trials to 0"),
        ({"timeout": 0}, "tune.timeout"),
        ({"timeout": math.inf}, "finite"),
        ({"batch": 0}, "tune.batch"),
        ({"startup_trials": 0}, "tune.startup_trials"),
        ({"max_failures": -1}, "tune.max_failures"),
        ({"sampler": "tpee"}, "tune.sampler"),
        ({"objective": "test/loss"}, "valid/loss"),
        ({"trails": 3}, "Did you mean 'trials'?"),
        ({"space": {1: {"low": 0, "high": 1}}}, "valid string"),
    ],
)
def test_a_wrong_setting_is_refused(tune: Any, message: str) -> None:
    assert message in refused(tune)


def test_every_fault_is_listed_at_once() -> None:
    space = {"a.b": {"low": 2, "high": 1}, "a.c": {"choices": []}, "a.d": {"low": 1}}
    assert len(refused({"trials": -1, "space": space}).splitlines()) == 4


def test_without_a_section_there_is_no_search() -> None:
    assert TuneSection().trials == 0
    assert TuneSection().space == {}


def test_a_step_that_decimals_divide_is_accepted() -> None:
    """0.3 / 0.1 is 2.9999999999999996 in binary floating point."""
    assert (0.3 / 0.1) % 1 != 0
    assert Dimension(low=0.0, high=0.3, step=0.1).step == 0.1


numbers = st.one_of(st.integers(-(2**54), 2**54), st.floats(-1e300, 1e300))
dimensions = st.fixed_dictionaries(
    {"low": numbers, "high": numbers},
    optional={"log": st.booleans(), "step": st.one_of(st.none(), st.integers(1, 9), st.floats(1e-3, 10.0))},
)


@settings(max_examples=150, deadline=None)
@given(options=dimensions, whole=st.booleans(), seed=st.integers(0, 99))
def test_whatever_is_accepted_can_be_sampled_within_its_ends(options: Any, whole: bool, seed: int) -> None:
    """Optuna must neither warn (an error here), nor raise, nor change an end, nor leave the range."""
    low, high = sorted((options["low"], options["high"]))
    try:
        dimension = Dimension.model_validate(options | {"low": low, "high": high})
    except ValueError:
        return
    whole = whole and all(isinstance(n, int) for n in (low, high, options.get("step") or 1))
    section = TuneSection(trials=4, startup_trials=2, space={"model.x": dimension})
    sampler = Proposer(section, Space((Axis("model.x", dimension, whole),)), seed)
    for proposal in sampler.propose([], 4):
        value = proposal.overrides["model.x"]
        assert isinstance(value, int if whole else float)
        assert low <= value <= high


@settings(max_examples=50, deadline=None)
@given(choices=st.lists(st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.floats(allow_nan=False))))
def test_accepted_choices_come_back_as_they_are(choices: list[Any]) -> None:
    try:
        dimension = Dimension(choices=choices)
    except ValueError:
        return
    section = TuneSection(trials=4, space={"model.x": dimension})
    proposals = Proposer(section, Space((Axis("model.x", dimension),)), 1).propose([], 4)
    assert len(proposals) == 4
    for proposal in proposals:
        value = proposal.overrides["model.x"]
        assert [type(value) is type(choice) and value == choice for choice in choices].count(True) == 1


def test_optuna_itself_accepts_what_is_refused_here() -> None:
    """The traps behind the rules: a moved end, and two names for one choice."""
    with pytest.warns(UserWarning, match="not divisible"):
        assert optuna.distributions.FloatDistribution(0.0, 1.0, step=0.3).high == 0.9
    assert optuna.distributions.CategoricalDistribution([1, True]).to_internal_repr(True) == 0


def test_choices_have_no_ends() -> None:
    with pytest.raises(TypeError):
        _ = Dimension(choices=[1]).ends


def test_every_option_is_documented() -> None:
    sections: list[Callable[..., Section]] = [TuneSection, Dimension]
    for section in sections:
        for name in section.model_fields:  # type: ignore[attr-defined]
            assert f"\n        {name}: " in (section.__doc__ or "")


@pytest.mark.parametrize(("rows", "batch", "settled"), [(9_999, None, 16), (10_000, None, 8), (10_000, 16, 16)])
def test_a_batch_left_open_is_half_as_large_for_many_rows(rows: int, batch: int | None, settled: int) -> None:
    section = TuneSection.model_validate({"batch": batch})
    assert section.settled("binary", rows).batch == settled


@pytest.mark.parametrize(
    ("tune", "from_trial"),
    [
        ({"trials": 16}, 16),
        ({"trials": 17}, None),
        ({"trials": 8, "batch": 4}, 8),
        ({"trials": 9, "batch": 4}, None),
        ({"trials": 12, "batch": 4, "startup_trials": 9}, 12),
        ({"trials": 16, "sampler": "gp"}, 16),
        ({"trials": 16, "sampler": "random"}, None),
        ({"trials": 0}, None),
    ],
)
def test_a_search_too_short_for_its_sampler_to_learn_says_so(tune: Any, from_trial: int | None) -> None:
    section = TuneSection.model_validate({"space": {"model.width": {"low": 1, "high": 9}}} | tune).settled(
        "binary", 100
    )
    said = section.learns_nothing
    assert bool(said) == (from_trial is not None)
    assert from_trial is None or f"only from trial {from_trial} on, and there are {section.trials}: lower tune" in said
