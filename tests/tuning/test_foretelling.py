"""What a pruned trial would have come to, and what a sampler that learns from values gains by it."""

import math
import statistics
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goodfit.tuning import Axis, Dimension, Space, Trial, TuneSection
from goodfit.tuning.proposing import Proposer
from goodfit.tuning.samplers.foretelling import foretold


def trial(number: int, curve: Sequence[float], state: Any = "PRUNED", params: Any = None) -> Trial:
    curves = {"valid/loss": list(curve)}
    return Trial(number, state, min(curve), len(curve), 0.0, params or {}, 0, curves=curves)


def values(trials: Sequence[Trial]) -> list[float]:
    return [float(str(one.value)) for one in foretold(trials)]


def test_a_pruned_trial_goes_on_as_the_median_of_those_that_stayed() -> None:
    trials = [
        trial(0, [8.0, 4.0, 2.0, 1.0], "COMPLETE"),
        trial(1, [8.0, 4.0]),
        trial(2, [10.0]),
        trial(3, [6.0, 3.0, 3.0, 1.5], "COMPLETE"),
    ]
    # From epoch 1 to 2 all halved; from 2 to the end one fell to a quarter, the other to a half: the median, as logs.
    last = math.log(0.25 * 0.5) / 2
    expected = [0.0, math.log(4) + last, math.log(10 * 0.5) + last, math.log(1.5)]
    assert values(trials) == pytest.approx(expected)
    assert {one.state for one in foretold(trials)} == {"COMPLETE"}
    assert [one.number for one in foretold(trials)] == [0, 1, 2, 3]


def test_steps_are_differences_where_a_value_is_not_positive() -> None:
    trials = [trial(0, [2.0, -1.0], "COMPLETE"), trial(1, [3.0]), trial(2, [0.5])]
    assert values(trials) == pytest.approx([-1.0, 0.0, -2.5])


def test_while_nobody_has_gone_on_values_stand_for_themselves() -> None:
    assert values([trial(0, [2.0, 1.0]), trial(1, [3.0, 1.5])]) == pytest.approx([0.0, math.log(1.5)])


def test_a_trial_that_stopped_by_itself_tells_nothing_of_epochs_that_it_did_not_train() -> None:
    early = trial(0, [4.0, 3.0], "COMPLETE")  # its loss rose, and its training ended
    assert values([early, trial(1, [5.0, 4.0, 3.5])]) == pytest.approx([math.log(3.0), math.log(3.5)])


def test_a_failed_trial_and_a_curve_that_nobody_kept_change_nothing() -> None:
    failed = Trial(0, "FAIL", None, 1, 0.0, {}, 0, error="boom")
    bare = Trial(1, "COMPLETE", 2.0, 3, 0.0, {}, 0)
    assert foretold([failed, bare, trial(2, [3.0])])[0] == failed
    assert values([bare, trial(2, [3.0])]) == pytest.approx([math.log(2.0), math.log(3.0)])


@given(st.lists(st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=6), min_size=1, max_size=12))
def test_trials_that_ended_at_the_same_epoch_keep_their_order(curves: list[list[float]]) -> None:
    trials = [trial(n, curve, "COMPLETE" if len(curve) == 6 else "PRUNED") for n, curve in enumerate(curves)]
    told = foretold(trials)
    for length in {len(curve) for curve in curves}:
        mates = [n for n, curve in enumerate(curves) if len(curve) == length]
        before = sorted(mates, key=lambda n: (min(curves[n]), n))
        after = sorted(mates, key=lambda n: (told[n].value, min(curves[n]), n))
        assert before == after


def test_a_gaussian_process_learns_from_trials_that_were_pruned() -> None:
    """Of each eight trials two complete: those alone would be too few to learn from until all have been asked."""
    ranges = {"model.x": {"low": -1.0, "high": 1.0}, "model.width": {"low": 1, "high": 200}}
    section = TuneSection.model_validate({"trials": 32, "sampler": "gp", "space": ranges})
    axes = [Axis(path, Dimension.model_validate(d), path == "model.width") for path, d in sorted(ranges.items())]
    proposer, trials = Proposer(section, Space(tuple(axes)), 7), []  # type: ignore[var-annotated]

    def distance(settings: Any) -> float:
        return abs(float(settings["model.x"]) - 0.3) + abs(settings["model.width"] - 50) / 100

    for _ in range(4):
        batch = proposer.propose(trials, 8)
        assert all(isinstance(one.overrides["model.width"], int) for one in batch)
        ranked = sorted(batch, key=lambda one: distance(one.overrides))
        for one in batch:
            ends = 4 if one in ranked[:2] else 1
            curve = [(1 + distance(one.overrides) ** 2) / epoch for epoch in range(1, ends + 1)]
            trials.append(trial(one.number, curve, "COMPLETE" if ends == 4 else "PRUNED", one.overrides))
    late, early = (statistics.median(distance(one.params) for one in part) for part in (trials[24:], trials[:8]))
    assert sum(one.state == "COMPLETE" for one in trials[:24]) == 6
    assert late < 0.25 * early
