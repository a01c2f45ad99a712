"""Real trainings behind a search: folds, seeds, second looks, pruning, two objectives, and a kill inside a batch."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from goodfit.cli.search import search as commands
from goodfit.data import SchemaSection, Table, infer_schema
from goodfit.files import write_text
from goodfit.params import check
from goodfit.training import FORESEEN, FitSections
from goodfit.tuning import SearchResult, SearchSections, TuneSection, resolve_space, search
from goodfit.tuning.folds import fold_tables
from goodfit.tuning.picture import write_pictures
from goodfit.tuning.population import PopulationRunner, Prepared
from goodfit.tuning.status import status_of

TREE: dict[str, Any] = {
    "seed": 1,
    "model": {"kind": "mlp", "layers": 1, "width": 8},
    "training": {"epochs": 4, "batch_size": 64, "optimizer": {"kind": "adamw"}},
}
SPACE = {"training.optimizer.lr": {"low": 1e-3, "high": 1e-1, "log": True}, "model.width": {"choices": [4, 8]}}


def table(rows: int, seed: int, **columns: Any) -> Table:
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(random.normal(size=(rows, 3)), columns=["a", "b", "c"]).assign(**columns)
    frame["y"] = np.where(frame["a"] + random.normal(size=rows) / 2 > 0, "yes", "no")
    named = {"group": "g"} if "g" in columns else {"time": "t"} if "t" in columns else {}
    return Table(frame, infer_schema(frame, SchemaSection(target="y", **named)))


TABLES = table(160, 1), table(60, 2)


class Killed(BaseException):
    pass


def searched(folder: Path, on_trial: Any = None, tables: Any = None, **options: Any) -> SearchResult:
    chosen = {"trials": 6, "batch": 3, "startup_trials": 2, "space": SPACE} | options
    section = TuneSection.model_validate(chosen)
    space = resolve_space(section, TREE, FitSections)
    state = folder / ".goodfit/state/tune/key"
    runner = PopulationRunner(section, TREE, Prepared(tables or [TABLES]), state)
    return search(section, space, 1, state, runner, on_trial, progress=False)


def facts(result: SearchResult) -> list[Any]:
    looks = [*result.trials, *result.rescored]
    return [(t.number, t.state, t.value, t.params, t.seed, t.epochs, t.curves, t.replicas) for t in looks]


def test_a_kill_inside_a_batch_changes_nothing(tmp_path: Path) -> None:
    options: dict[str, Any] = {"pruner": {"kind": "halving", "first": 1}, "rescore": {"top": 1, "seeds": 2}}
    calm = searched(tmp_path / "calm", **options)
    assert {t.state for t in calm.trials} == {"COMPLETE", "PRUNED"}
    for kill in (1, 2, 4, 7):
        told: list[int] = []

        def die(trial: Any, told: list[int] = told, kill: int = kill) -> None:
            told.append(trial.number)
            if len(told) == kill:
                raise Killed

        with pytest.raises(Killed):
            searched(tmp_path / f"killed{kill}", die, **options)
        resumed = searched(tmp_path / f"killed{kill}", **options)
        assert facts(resumed) == facts(calm)
        assert resumed.best == calm.best


def test_a_pruned_trial_carries_the_best_value_it_was_judged_by_and_its_epochs(tmp_path: Path) -> None:
    result = searched(tmp_path, pruner={"kind": "halving", "first": 1})
    pruned = [trial for trial in result.trials if trial.state == "PRUNED"]
    assert pruned
    for trial in pruned:
        assert trial.epochs == len(trial.curves["valid/loss"]) < 4
        assert trial.value == min(trial.curves[FORESEEN]) <= min(trial.curves["valid/loss"])


def test_a_completed_trial_carries_the_loss_of_its_model(tmp_path: Path) -> None:
    result = searched(tmp_path, pruner={"kind": "halving", "first": 1})
    complete = [trial for trial in result.trials if trial.state == "COMPLETE"]
    assert complete
    assert all(trial.value == min(trial.curves["valid/loss"]) for trial in complete)


def test_nothing_is_foreseen_where_nobody_is_pruned(tmp_path: Path) -> None:
    result = searched(tmp_path, pruner={"kind": "halving", "first": 1}, rescore={"top": 1, "seeds": 2})
    assert len(result.rescored) == 2
    for trial in [*result.rescored, *searched(tmp_path / "all", pruner="none").trials]:
        assert FORESEEN not in trial.curves


def test_folds_and_seeds_are_members_whose_mean_is_the_value(tmp_path: Path) -> None:
    tables = fold_tables(*TABLES, 2, 1)
    result = searched(tmp_path, tables=tables, folds=2, seeds=2, trials=2, pruner="none")
    for trial in result.trials:
        assert len(trial.replicas) == 4
        assert len({tuple(curve) for curve in trial.replicas}) == 4
        assert trial.value == pytest.approx(np.mean([curve[-1] for curve in trial.replicas]))


def test_second_looks_decide_by_their_mean_alone(tmp_path: Path) -> None:
    result = searched(tmp_path, pruner="none", rescore={"top": 3, "seeds": 2})
    assert len(result.rescored) == 6
    assert len({look.seed for look in result.rescored} | {t.seed for t in result.trials}) == 12
    assert set(result.second_means) == {t.number for t in sorted(result.trials, key=lambda t: t.value or 0)[:3]}
    assert result.best_trial.number == min(result.second_means, key=lambda n: result.second_means[n])  # type: ignore[union-attr]
    result.write_rescored_csv(tmp_path / "rescored.csv")
    assert list(pd.read_csv(tmp_path / "rescored.csv")["value"]) == [look.value for look in result.rescored]


def test_of_two_objectives_the_smallest_model_near_the_best_loss_is_chosen(tmp_path: Path) -> None:
    options: dict[str, Any] = {"sampler": {"kind": "nsga2", "population": 3}, "against": "parameters", "pruner": "none"}
    result = searched(tmp_path, tolerance=100.0, **options)
    assert {t.against for t in result.trials} >= {result.best_trial.against}  # type: ignore[union-attr]
    assert result.best_trial.against == min(t.against or 0 for t in result.trials)  # type: ignore[union-attr]
    assert searched(tmp_path, tolerance=0.0, **options).best_trial.value == min(t.value for t in result.trials)  # type: ignore[union-attr, type-var]


def gap_at_best(trial: Any) -> float:
    losses = trial.curves["valid/loss"]
    return float(trial.curves["generalization_gap/loss"][losses.index(min(losses))])


@pytest.mark.parametrize("options", [{}, {"sampler": {"kind": "nsga2", "population": 3}, "pruner": "none"}])
def test_the_smallest_gap_near_the_best_loss_is_chosen_with_any_sampler(tmp_path: Path, options: Any) -> None:
    told: list[Any] = []
    result = searched(tmp_path / "wide", told.append, trials=12, against="gap", tolerance=100.0, **options)
    complete = [trial for trial in told if trial.state == "COMPLETE"]
    assert len(complete) > 2
    assert [trial.against for trial in complete] == pytest.approx([gap_at_best(trial) for trial in complete])
    assert result.best_trial.against == min(trial.against for trial in complete)  # type: ignore[union-attr]
    assert {trial.state for trial in told if trial.against is None} <= {"PRUNED"}
    one = searched(tmp_path / "none", trials=12, against="gap", tolerance=0.0, **options)
    assert one.best_trial.value == min(trial.value for trial in complete)  # type: ignore[union-attr]


def test_a_gap_that_only_chooses_changes_no_proposal(tmp_path: Path) -> None:
    plain = searched(tmp_path / "plain", trials=9)
    assert facts(searched(tmp_path / "gap", trials=9, against="gap")) == facts(plain)


def test_settings_that_are_wrong_together_fail_alone(tmp_path: Path) -> None:
    """A batch larger than the train rows is legal by itself."""
    space = {"training.batch_size": {"choices": [64, 100_000]}}
    result = searched(tmp_path, space=space, trials=3, max_failures=20, sampler="random", seeds=1)
    failed = [t for t in result.trials if t.state == "FAIL"]
    assert failed
    assert all(t.params["training.batch_size"] == 100_000 and "train rows" in t.error for t in failed)


def test_a_failure_of_the_settings_does_not_reach_the_rest_of_the_batch(tmp_path: Path) -> None:
    result = searched(tmp_path, pruner="none")
    assert [t.state for t in result.trials] == ["COMPLETE"] * 6


def test_the_budget_of_epochs_holds(tmp_path: Path) -> None:
    result = searched(tmp_path, pruner="none", trials=100, batch=4, epochs=40)
    assert 36 <= sum(t.epochs for t in result.trials) <= 44
    assert "the epochs were used up" in result.notes[-1]


def test_a_search_is_seen_from_outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    runner = CliRunner()
    assert "no search" in runner.invoke(commands, ["status"]).output

    def die(trial: Any) -> None:
        if trial.number == 4:
            raise Killed

    with pytest.raises(Killed):
        searched(tmp_path, die, pruner="none")
    before = (tmp_path / ".goodfit/state/tune/key/trials.jsonl").read_bytes()
    found = status_of(tmp_path)
    assert found is not None
    assert (found.state, found.done, found.trials, found.training) == ("dead", 5, 6, 1)
    printed = json.loads(runner.invoke(commands, ["status", "--json"]).output)
    assert printed == found.to_dict()
    said = runner.invoke(commands, ["status"]).output
    assert "dead: its process is gone" in said
    assert "0 failed, 1 to go on with" in said
    assert (tmp_path / ".goodfit/state/tune/key/trials.jsonl").read_bytes() == before
    write_text(tmp_path / ".goodfit/lease", f"tune\n{_me()}\n")
    assert status_of(tmp_path).state == "running"  # type: ignore[union-attr]


def _me() -> str:
    from goodfit.stage import Owner

    return str(Owner.me())


@pytest.mark.parametrize("against", [None, "gap"])
def test_a_finished_search_is_a_page_without_other_hosts_and_an_optuna_study(
    against: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import optuna
    from optuna.storages.journal import JournalFileBackend

    monkeypatch.chdir(tmp_path)
    result = searched(tmp_path, trials=12, against=against)
    state = tmp_path / ".goodfit/state/tune/key"
    section = TuneSection.model_validate({"trials": 12, "space": SPACE})
    write_pictures(tmp_path / "reports/search", result, section, state)
    page = (tmp_path / "reports/search/index.html").read_text()
    assert page.count("<svg") == 4
    assert "http" not in page
    assert "<script" not in page
    (state / "trials.jsonl").unlink()
    given_up = tmp_path / ".goodfit/state/tune/other/trials.jsonl"  # of params that are no longer those of params.yaml
    write_text(given_up, (tmp_path / "reports/search/journal.jsonl").read_text())
    os.utime(given_up, (1, 1))
    assert status_of(tmp_path).state == "finished"  # type: ignore[union-attr]
    given_up.touch()
    assert status_of(tmp_path).state == "dead"  # type: ignore[union-attr]
    given_up.unlink()
    assert CliRunner().invoke(commands, ["export"]).exit_code == 0
    storage = optuna.storages.JournalStorage(JournalFileBackend(str(tmp_path / ".goodfit/optuna.journal")))
    study = optuna.load_study(study_name="goodfit", storage=storage)
    assert [t.state.name for t in study.trials] == [t.state for t in result.trials]
    assert study.best_value == min(t.value for t in result.trials if t.state == "COMPLETE")  # type: ignore[type-var]
    assert study.trials[0].intermediate_values == dict(enumerate(result.trials[0].curves[FORESEEN], 1))


def test_the_dashboard_shows_the_trials_of_a_search_that_is_not_over(tmp_path: Path) -> None:
    result = searched(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "goodfit", "search", "dashboard", "--port", str(port)]
    with (tmp_path / "said").open("w") as said:
        served = subprocess.Popen(command, cwd=tmp_path, stdout=said, stderr=subprocess.STDOUT)
    try:
        answer = _json(f"http://127.0.0.1:{port}/api/studies")
        (study,) = answer["study_summaries"]
        assert study["study_name"] == "goodfit"
        trials = _json(f"http://127.0.0.1:{port}/api/studies/{study['study_id']}?after=0")["trials"]
    finally:
        served.terminate()
        served.wait(10)
    assert [one["state"] for one in trials] == [
        {"COMPLETE": "Complete", "PRUNED": "Pruned"}[t.state] for t in result.trials
    ]
    assert f"http://127.0.0.1:{port}" in (tmp_path / "said").read_text()


def _json(address: str) -> Any:
    """Ask until somebody answers."""
    until = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(address, timeout=10) as answer:
                return json.load(answer)
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


def test_folds_hold_groups_and_copies_together_and_cover_every_row_once() -> None:
    train = table(120, 1, g=[f"g{n % 17}" for n in range(120)])
    train = Table(pd.concat([train.frame, train.frame.iloc[:52:17].assign(g="other")], ignore_index=True), train.schema)
    parts = fold_tables(train, TABLES[1], 4, 1)
    assert sum(len(valid) for _, valid in parts) == 124
    for own, other in parts:
        assert not set(own.frame["g"]) & set(other.frame["g"])
        keys = [set(map(tuple, part.frame[["a", "b", "c", "y"]].to_numpy())) for part in (own, other)]
        assert not keys[0] & keys[1]
        assert 20 <= len(other) <= 45


def test_folds_of_a_split_by_time_foresee() -> None:
    moments = pd.date_range("2024-01-01", periods=220, freq="D")
    train = table(160, 1, t=moments[:160].to_numpy())
    valid = table(53, 2, t=moments[167:].to_numpy())
    parts = fold_tables(train, valid, 3, 1)
    assert [len(later) for _, later in parts] == [40, 40, 40]
    for own, later in parts:
        assert later.frame["t"].min() - own.frame["t"].max() == pd.Timedelta("8D")
    mixed = fold_tables(train, Table(train.frame, train.schema), 3, 1)
    assert sum(len(part) for _, part in mixed) == 160


def test_a_search_of_the_cocktail_trains_every_trial(tmp_path: Path) -> None:
    """Decisions and conditions reach the training, and the best settings set what the best trial had."""
    lines = {"base": "cocktail", "model.width": {"choices": [8]}}
    params = {**TREE, "tune": {"trials": 24, "batch": 24, "sampler": "random", "pruner": "none", "space": lines}}
    section = check(params, SearchSections, "params.yaml").tune
    space = resolve_space(section, params, FitSections)
    runner = PopulationRunner(section, TREE, Prepared([TABLES]), tmp_path)
    result = search(section, space, 1, tmp_path, runner, progress=False)
    assert [trial.state for trial in result.trials] == ["COMPLETE"] * 24
    chosen = {trial.params["choose.augmentation"] for trial in result.trials}
    assert chosen == {"none", "mixup", "cutmix", "cutout", "adversarial"}
    assert result.best_trial is not None
    assert result.best == space.overrides(result.best_trial.params)
    assert not [path for path in result.best if path.startswith("choose.")]
    assert {"regularization.mixup.alpha", "regularization.dropout.p"} <= set(result.best), "what is off is set to off"
