"""Honest states: what failed is FAIL, what was interrupted is run again, what has no number is never the best."""

import errno
import importlib
import itertools
import json
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from goodfit.errors import GoodfitError, Interrupted, MachineError, ServiceError
from goodfit.tuning import Outcome, Proposal, derived_seed, one_by_one


def complete(proposal: Proposal) -> Outcome:
    return Outcome(proposal.number, "COMPLETE", 1.0 + proposal.number, epochs=2, duration_s=0.5)


WRONG = [math.nan, math.inf, -math.inf, "0.1x", np.float64("nan")]


@pytest.mark.parametrize(("state", "value"), [("COMPLETE", None), *itertools.product(["COMPLETE", "PRUNED"], WRONG)])
def test_a_value_that_is_no_number_is_a_failure_and_never_the_best(lab: Any, value: Any, state: Any) -> None:
    result = lab.search(run=lambda p: Outcome(p.number, state, value) if p.number in (0, 3) else complete(p))
    assert [t.state for t in result.trials[:4]] == ["FAIL", "COMPLETE", "COMPLETE", "FAIL"]
    assert result.trials[0].value is None
    assert "objective is" in result.trials[0].error
    assert result.best_trial == result.trials[1]


def test_numbers_of_other_libraries_become_plain_ones(lab: Any) -> None:
    run = lambda p: Outcome(p.number, "COMPLETE", np.float32(0.5), np.int64(3), np.float64(1.5))  # type: ignore[arg-type]  # noqa: E731
    trial = lab.search(run=run, trials=1).trials[0]
    assert [type(x) for x in (trial.value, trial.epochs, trial.duration_s)] == [float, int, float]


def test_a_pruned_trial_counts_but_is_never_the_best(lab: Any) -> None:
    states: Any = {0: ("PRUNED", -5.0), 1: ("PRUNED", None)}
    result = lab.search(
        run=lambda p: Outcome(p.number, *states[p.number]) if p.number in states else complete(p), trials=4
    )
    assert len(result.trials) == 4
    assert result.best_trial == result.trials[2]


def test_the_earliest_of_equals_is_the_best(lab: Any) -> None:
    assert lab.search(run=lambda p: Outcome(p.number, "COMPLETE", 1.0)).best_trial.number == 0


def test_a_failed_trial_is_replaced_and_keeps_its_traceback(lab: Any) -> None:
    result = lab.search(trials=8)
    failed = [t for t in result.trials if t.state == "FAIL"]
    assert [t.number for t in failed] == [6]
    assert len(result.trials) == 9
    assert "Traceback" in failed[0].error
    assert failed[0].error.strip().endswith(f"ValueError: diverged with seed {failed[0].seed}")
    kept = (lab.folder / "state/failures/6.txt").read_text()
    assert failed[0].error in kept
    assert f"model.width: {failed[0].params['model.width']}\n" in kept
    assert "1 of 9 trials failed and were replaced." in result.notes


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), SystemExit(), SystemExit(0), Interrupted(15)])
def test_an_interruption_goes_through_and_leaves_the_trial_to_be_run_again(lab: Any, stop: BaseException) -> None:
    calm = lab.search("calm", complete)
    hits = []

    def run(proposal: Proposal) -> Outcome:
        if proposal.number == 2 and not hits:
            hits.append(proposal)
            raise stop
        return complete(proposal)

    with pytest.raises(type(stop)):
        lab.search(run=run)
    assert not (lab.folder / "state/failures").exists()
    assert lab.search(run=run).trials == calm.trials
    assert len(hits) == 1


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space"), MachineError("memory"), ServiceError("tracker")])
def test_a_broken_machine_is_not_held_against_a_trial(lab: Any, error: Exception) -> None:
    def broken(proposal: Proposal) -> Outcome:
        if proposal.number == 2:
            raise error
        return complete(proposal)

    with pytest.raises(type(error)):
        lab.search(run=broken)
    assert [t.state for t in lab.search(run=complete).trials] == ["COMPLETE"] * 8


def test_an_exception_of_the_batch_fails_what_it_still_owed(lab: Any) -> None:
    def run_batch(proposals: list[Proposal]) -> Iterator[Outcome]:
        yield complete(proposals[1])
        if proposals[0].number == 0:
            raise RuntimeError("out of memory")
        yield from map(complete, (p for p in proposals if p is not proposals[1]))

    result = lab.search(run_batch=run_batch, batch=3, trials=6)
    assert [t.state for t in result.trials[:4]] == ["FAIL", "COMPLETE", "FAIL", "COMPLETE"]
    assert "RuntimeError: out of memory" in result.trials[2].error
    assert sum(t.state == "COMPLETE" for t in result.trials) == 6


def test_a_missing_outcome_is_a_failure(lab: Any) -> None:
    result = lab.search(run_batch=lambda batch: [complete(p) for p in batch if p.number != 1], batch=2)
    assert [t.state for t in result.trials[:3]] == ["COMPLETE", "FAIL", "COMPLETE"]
    assert "no outcome" in result.trials[1].error


@pytest.mark.parametrize("numbers", [[0, 0], [5]])
def test_an_outcome_that_was_not_owed_is_a_bug(lab: Any, numbers: list[int]) -> None:
    with pytest.raises(RuntimeError, match="did not owe"):
        lab.search(run_batch=lambda batch: [Outcome(n, "COMPLETE", 1.0) for n in numbers], batch=2)


def test_an_error_of_the_listener_is_not_a_failed_trial(lab: Any) -> None:
    def listener(trial: Any) -> None:
        raise ValueError("the mirror is broken")

    with pytest.raises(ValueError, match="mirror"):
        lab.search(run=complete, on_trial=listener)
    assert all(t.state == "COMPLETE" for t in lab.search(run=complete).trials)


def failing(proposal: Proposal) -> Outcome:
    raise ValueError("always wrong")


def test_too_many_failures_end_the_search_with_the_reason(lab: Any) -> None:
    with pytest.raises(GoodfitError) as caught:
        lab.search(run=failing, max_failures=3)
    assert str(caught.value) == (
        "tune: 4 of 4 trials failed, more than 3 in this attempt; 4 with: ValueError: always wrong."
        f" Read {lab.folder / 'state/failures'}. Run again to go on, with 3 more that may fail; to narrow tune.space or"
        " to raise tune.max_failures begins a new search."
    )
    assert len(list((lab.folder / "state/failures").iterdir())) == 4


def test_second_looks_that_were_cut_short_are_told(lab: Any) -> None:
    def cut(proposal: Proposal) -> Outcome:
        last = proposal.rescores is not None and proposal.number % 2
        return Outcome(proposal.number, "PRUNED", 1.0, epochs=1) if last else complete(proposal)

    result = lab.search(run=cut, rescore={"top": 2, "seeds": 2})
    assert any("trained again 2 times to the end, not 4" in note for note in result.notes)


def test_the_next_start_after_giving_up_goes_on_with_a_fresh_allowance(lab: Any) -> None:
    with pytest.raises(GoodfitError):
        lab.search(run=failing, max_failures=1)
    with pytest.raises(GoodfitError, match="4 of 4 trials failed"):
        lab.search(run=failing, max_failures=1)
    result = lab.search(run=complete, max_failures=1)
    assert [t.state for t in result.trials] == ["FAIL"] * 4 + ["COMPLETE"] * 8


def test_a_kill_does_not_refresh_the_allowance(lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise a search under a nervous supervisor would fail for ever."""
    with monkeypatch.context() as patch, pytest.raises(lab.Killed):
        lab.kill_at(patch, 1 + 3 * 3)  # the third trial was told
        lab.search(run=failing, max_failures=3)
    with pytest.raises(GoodfitError, match="4 of 4 trials failed"):
        lab.search(run=failing, max_failures=3)


def test_only_pruned_trials_are_no_result(lab: Any) -> None:
    with pytest.raises(GoodfitError, match="none of 8 trials completed"):
        lab.search(run=lambda p: Outcome(p.number, "PRUNED", 1.0))


def test_no_trials_mean_no_search_and_no_state(lab: Any) -> None:
    result = lab.search(trials=0, run=failing)
    assert (result.trials, result.best, result.best_trial) == ((), {}, None)
    assert not (lab.folder / "state").exists()


class Clock:
    """Time that passes only while trials run."""

    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(importlib.import_module("goodfit.tuning.ledger"), "time", clock)
    return clock


def test_the_timeout_counts_over_resumes(lab: Any, clock: Clock) -> None:
    """Trials of 10 s and a timeout of 35 s make 4 trials, also when the process dies after each."""

    def run(proposal: Proposal) -> Outcome:
        clock.now += 10
        return complete(proposal)

    def dies(trial: Any) -> None:
        if not trial.restored:
            raise lab.Killed

    calm = lab.search("calm", run, timeout=35.0)
    assert len(calm.trials) == 4
    assert calm.seconds == 40
    assert "time was up after 4 of 8 trials (tune.timeout 35 s)." in calm.notes
    kills = 0
    while True:
        clock.now += 1_000  # the machine was off
        try:
            resumed = lab.search(run=run, timeout=35.0, on_trial=dies)
            break
        except lab.Killed:
            kills += 1
    assert kills == 4
    assert resumed.trials == calm.trials


def test_time_is_not_up_before_one_trial_has_completed(lab: Any, clock: Clock) -> None:
    def run(proposal: Proposal) -> Outcome:
        clock.now += 10
        return complete(proposal) if proposal.number == 3 else Outcome(proposal.number, "PRUNED", 9.0)

    assert len(lab.search(run=run, timeout=5.0).trials) == 4


def test_a_journal_of_another_search_is_refused(lab: Any) -> None:
    lab.search(run=complete)
    other = {"model.width": {"low": 4, "high": 8}}
    for options in ({"seed": 8}, {"space": other}, {"sampler": "random"}, {"batch": 2}, {"startup_trials": 9}):
        with pytest.raises(ServiceError, match=f"trials.jsonl: belongs to a search with another {next(iter(options))}"):
            lab.search(run=complete, **options)
    assert len(lab.search(run=complete, trials=10).trials) == 10, "more trials are the same search, gone on with"


def test_a_journal_of_another_direction_or_format_is_refused(lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(importlib.import_module("goodfit.tuning.ledger"), "FORMAT", 9)
        lab.search(run=complete)
    with pytest.raises(ServiceError, match="with another format: 9"):
        lab.search(run=complete)
    with monkeypatch.context() as patch:
        patch.setattr(importlib.import_module("goodfit.tuning.search"), "DIRECTION", "maximize")
        lab.search("up", run=complete)
    with pytest.raises(ServiceError, match="with another direction: 'maximize'"):
        lab.search("up", run=complete)


def test_another_version_of_the_sampler_is_noted(lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(importlib.import_module("goodfit.tuning.search"), "VERSION", "4.5.0")
        lab.search(run=complete, trials=2)
    notes = lab.search(run=complete, trials=3).notes
    assert any("began with optuna 4.5.0" in note for note in notes)
    assert not any("began with" in note for note in lab.search("new", run=complete).notes)


def test_seeds_differ_by_trial_and_purpose_and_are_stable() -> None:
    seeds = {derived_seed(seed, purpose, n) for seed in (1, 2) for purpose in ("a", "b") for n in range(50)}
    assert len(seeds) == 200
    assert all(0 <= seed < 2**32 for seed in seeds)
    assert derived_seed(42, "trial", 0) == 340332835, "a change here changes everybody's results"


def test_the_journal_holds_the_outcome_of_each_trial_once(lab: Any) -> None:
    result = lab.search(batch=3)
    lines = (lab.folder / "state/trials.jsonl").read_text().splitlines()
    told = [json.loads(line[9:])["outcome"]["number"] for line in lines if '"told"' in line]
    assert sorted(told) == [t.number for t in result.trials]


def test_a_batch_is_asked_before_any_of_it_is_told(lab: Any) -> None:
    sizes = []

    def run_batch(proposals: list[Proposal]) -> Iterator[Outcome]:
        sizes.append(len(proposals))
        yield from one_by_one(complete)(proposals)

    lab.search(run_batch=run_batch, batch=3, trials=8)
    assert sizes == [3, 3, 2]
