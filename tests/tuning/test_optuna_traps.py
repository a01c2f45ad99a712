"""What Optuna does silently when it is used in the obvious way, each beside goodfit's defence (field notes, Optuna)."""

import importlib
import itertools
import json
import math
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from goodfit.errors import ServiceError
from goodfit.tuning import Outcome, Proposal, SearchResult, one_by_one

DISTRIBUTIONS: dict[str, Any] = {"x": optuna.distributions.FloatDistribution(0, 1)}


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    yield
    optuna.logging.set_verbosity(level)


def opened(path: Path, **options: Any) -> optuna.Study:
    storage = optuna.storages.JournalStorage(JournalFileBackend(str(path)))
    sampler = optuna.samplers.TPESampler(seed=7)
    return optuna.create_study(study_name="s", storage=storage, sampler=sampler, load_if_exists=True, **options)


def suggest(trial: optuna.Trial) -> float:
    return trial.suggest_float("x", 0, 1)


def complete(proposal: Proposal) -> Outcome:
    return Outcome(proposal.number, "COMPLETE", 1.0 + proposal.number)


def widths(result: SearchResult) -> list[Any]:
    return [tuple(t.params.values()) for t in result.trials]


def resumed_after(lab: Any, number: int, run: Any = complete, **options: Any) -> SearchResult:
    """Kill the search in the middle of a trial, and resume it."""
    killed = []

    def dies(proposal: Proposal) -> Outcome:
        if proposal.number == number and not killed:
            killed.append(number)
            raise SystemExit
        return run(proposal)  # type: ignore[no-any-return]

    with pytest.raises(SystemExit):
        lab.search(run=dies, **options)
    return lab.search(run=dies, **options)  # type: ignore[no-any-return]


def test_trap_a_resumed_study_with_the_same_seed_repeats_its_samples(tmp_path: Path) -> None:
    for _ in range(2):
        opened(tmp_path / "journal").optimize(suggest, n_trials=3)
    values = [t.params["x"] for t in opened(tmp_path / "journal").trials]
    assert values[3:] == values[:3]


def test_a_resumed_search_repeats_nothing(lab: Any) -> None:
    result = resumed_after(lab, 3)
    assert len(set(widths(result))) == len(result.trials) == 8


def test_the_seed_of_each_trial_is_what_defends(lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the number left out of the seed, every random trial is the same one."""
    monkeypatch.setattr(
        importlib.import_module("goodfit.tuning.samplers.base"), "derived_seed", lambda seed, use, n: seed
    )
    assert len(set(widths(lab.search(run=complete, startup_trials=8)))) == 1


def test_trap_n_trials_counts_from_each_start(tmp_path: Path) -> None:
    for _ in range(2):
        opened(tmp_path / "journal").optimize(suggest, n_trials=3)
    assert len(opened(tmp_path / "journal").trials) == 6


def test_trials_are_counted_over_all_starts(lab: Any) -> None:
    assert [len(lab.search(run=complete, trials=3).trials) for _ in range(2)] == [3, 3]


def test_trap_system_exit_leaves_a_trial_running_for_ever(tmp_path: Path) -> None:
    def exits(trial: optuna.Trial) -> float:
        raise SystemExit

    with pytest.raises(SystemExit):
        opened(tmp_path / "journal").optimize(exits, n_trials=1)
    opened(tmp_path / "journal").optimize(suggest, n_trials=2)
    assert opened(tmp_path / "journal").trials[0].state == TrialState.RUNNING


def test_a_trial_that_system_exit_ended_is_run_again(lab: Any) -> None:
    result = resumed_after(lab, 0)
    assert [t.state for t in result.trials] == ["COMPLETE"] * 8
    assert [t.number for t in result.trials] == list(range(8))


def test_trap_a_torn_line_bricks_the_journal(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    opened(path).optimize(suggest, n_trials=2)
    path.write_bytes(path.read_bytes()[:-9])
    with suppress(Exception):  # whether this start notices depends on where the line was torn
        opened(path).optimize(suggest, n_trials=1)
    for _ in range(2):
        with pytest.raises(json.JSONDecodeError):
            opened(path)


def test_a_torn_line_costs_nothing(lab: Any) -> None:
    calm = lab.search("calm", run=complete)
    lab.search(run=complete, trials=4)
    path = lab.folder / "state/trials.jsonl"
    path.write_bytes(path.read_bytes()[:-9])
    assert lab.search(run=complete).trials == calm.trials


def test_trap_another_direction_is_ignored(tmp_path: Path) -> None:
    opened(tmp_path / "journal", direction="minimize").optimize(suggest, n_trials=2)
    assert opened(tmp_path / "journal", direction="maximize").direction.name == "MINIMIZE"


def test_another_direction_is_refused(lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.search(run=complete)
    monkeypatch.setattr(importlib.import_module("goodfit.tuning.search"), "DIRECTION", "maximize")
    with pytest.raises(ServiceError, match="another direction"):
        lab.search(run=complete)


def test_trap_minus_infinity_becomes_the_best(tmp_path: Path) -> None:
    study = opened(tmp_path / "journal")
    study.optimize(lambda t: -math.inf if t.number == 1 else suggest(t), n_trials=3)
    assert study.best_trial.number == 1


def test_minus_infinity_is_a_failure(lab: Any) -> None:
    result = lab.search(run=lambda p: Outcome(p.number, "COMPLETE", -math.inf) if p.number == 1 else complete(p))
    assert result.trials[1].state == "FAIL"
    assert result.best_trial.number == 0


def test_trap_changed_choices_raise_from_the_middle_of_a_trial(tmp_path: Path) -> None:
    opened(tmp_path / "journal").optimize(lambda t: len(t.suggest_categorical("c", ["a", "b"])), n_trials=1)
    with pytest.raises(ValueError, match="CategoricalDistribution does not support dynamic value space"):
        opened(tmp_path / "journal").optimize(lambda t: len(t.suggest_categorical("c", ["a", "z"])), n_trials=1)


def test_changed_choices_are_refused_before_any_trial(lab: Any) -> None:
    space = {"model.act": {"choices": ["a", "b"]}}
    lab.search(run=complete, space=space)
    with pytest.raises(ServiceError, match=r"another space.*Delete it to start this search anew"):
        lab.search(run=complete, space={"model.act": {"choices": ["a", "z"]}})


def test_trap_a_crash_mapped_to_a_number_wins(tmp_path: Path) -> None:
    def hides(trial: optuna.Trial) -> float:
        metrics = {} if trial.number == 1 else {"valid/loss": 0.5}
        return metrics.get("valid/loss", 0.0)

    study = opened(tmp_path / "journal")
    study.optimize(hides, n_trials=3)
    assert study.best_trial.number == 1


def test_a_crash_and_a_missing_metric_are_failures(lab: Any) -> None:
    def run(proposal: Proposal) -> Outcome:
        if proposal.number == 0:
            raise ValueError("a bug")
        return Outcome(1, "COMPLETE", None) if proposal.number == 1 else complete(proposal)

    result = lab.search(run=run)
    assert [t.state for t in result.trials[:3]] == ["FAIL", "FAIL", "COMPLETE"]
    assert result.best_trial.number == 2


def batches(lab: Any, name: str) -> float:
    """Return the mean distance between neighbours in batches of 6 proposed after 12 trials of a smooth function."""
    gaps: list[float] = []

    def run_batch(proposals: list[Proposal]) -> Iterator[Outcome]:
        points = sorted(float(str(p.overrides["model.x"])) for p in proposals)
        if proposals[0].number >= 12:
            gaps.extend(b - a for a, b in itertools.pairwise(points))
        smooth = lambda p: Outcome(p.number, "COMPLETE", (p.overrides["model.x"] - 0.3) ** 2)  # noqa: E731
        yield from one_by_one(smooth)(proposals)

    space = {"model.x": {"low": 0.0, "high": 1.0}}
    lab.search(name, run_batch=run_batch, space=space, batch=6, trials=60, startup_trials=6)
    assert len(gaps) == 40
    return sum(gaps) / len(gaps)


def test_a_batch_is_spread_by_the_constant_liar(lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it the trials of one batch know nothing of each other and crowd together."""
    spread = batches(lab, "with")

    def tpe(**options: Any) -> optuna.samplers.TPESampler:
        return sampler(**options | {"constant_liar": False})

    sampler = optuna.samplers.TPESampler
    monkeypatch.setattr(optuna.samplers, "TPESampler", tpe)
    assert spread > 1.2 * batches(lab, "without")


def test_a_resumed_search_learns_from_the_trials_before_it(lab: Any) -> None:
    """The sampler is built again from the journal: it goes on learning and does not start over at random."""

    def run(proposal: Proposal) -> Outcome:
        return Outcome(proposal.number, "COMPLETE", abs(float(str(proposal.overrides["model.x"])) - 0.3))

    space = {"model.x": {"low": 0.0, "high": 1.0}}
    result = resumed_after(lab, 20, run, space=space, trials=30, startup_trials=5)
    assert result.trials == lab.search("calm", run, space=space, trials=30, startup_trials=5).trials
    late = [t.value for t in result.trials[20:] if t.value is not None]
    assert sum(late) / len(late) < 0.15
