"""Nights in a small project: what comes in, what is decided, who is champion, and what is written down."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from goodfit.errors import DataError, GateError, MachineError, ServiceError
from goodfit.retraining.freshness import nothing_new
from goodfit.retraining.past import history
from goodfit.retraining.tracing import trace
from goodfit.tracking import CHALLENGER, CHAMPION, PREVIOUS, ModelRegistry, Unregistered, model_registry


def registry_of(bench: Any) -> Any:
    return model_registry(bench.params.tracking, bench.root)


def aliases(bench: Any) -> dict[str, int]:
    with registry_of(bench) as registry:
        return dict(registry.versions.aliases())


def tags(bench: Any, version: int) -> dict[str, str]:
    with registry_of(bench) as registry:
        return dict(registry.versions.get(version).tags)


def test_the_first_model_is_champion_and_then_there_is_nothing_new(bench: Any) -> None:
    assert nothing_new(bench.root) is None
    outcome = bench.retrain(1.0)
    assert (outcome.status, outcome.champion, outcome.version) == ("promoted", 1, 1)
    assert bench.calls == [["validate"], []]
    assert aliases(bench) == {CHAMPION: 1}
    found = tags(bench, 1)
    assert (found["goodfit.decision"], found["goodfit.previous_champion"]) == ("promotion", "none")
    assert found["goodfit.retrain_run"] == outcome.run
    receipt = nothing_new(bench.root)
    assert receipt is not None and receipt.said == outcome.sentence


def test_a_better_challenger_is_promoted_on_rows_that_neither_has_seen(second: Any) -> None:
    assert aliases(second) == {CHAMPION: 2, PREVIOUS: 1}
    found = tags(second, 2)
    assert "surely above" in found["goodfit.reason"] and "not surely" not in found["goodfit.reason"]
    evidence = json.loads((second.root / ".goodfit/retrain/contest.json").read_text())
    rows = evidence["rows"]
    assert evidence["unseen"] == f"{rows} of {rows} test rows are proven unseen by the champion, row by row"
    assert json.loads((second.root / ".goodfit/retrain/drift.json").read_text())["rows"] == 200


def test_a_challenger_that_is_no_better_is_kept_out_and_the_reason_is_written_down(second: Any) -> None:
    second.append(100, 3)
    outcome = second.retrain(1.501)
    assert (outcome.status, outcome.champion, outcome.version) == ("kept", 2, 3)
    assert "not surely above" in outcome.reason
    assert aliases(second) == {CHAMPION: 2, PREVIOUS: 1, CHALLENGER: 3}
    assert tags(second, 3)["goodfit.decision"] == "kept"
    with registry_of(second) as registry:
        assert [run["outcome"] for run in history(registry)["retrains"]] == ["promoted", "promoted", "kept"]
        assert [decision.version for decision in registry.succession.history()] == [1, 2]


def test_non_inferior_lets_an_equal_challenger_in(second: Any) -> None:
    second.append(100, 3)
    second.edit("min_test_rows: 50", "min_test_rows: 50, margin: {rule: non_inferior, by: 0.1}")
    assert second.retrain(1.49).status == "promoted"


def test_refused_data_leave_the_champion_and_stay_refused_the_next_night(second: Any) -> None:
    path = second.root / "input/rows.csv"
    text = path.read_text()
    path.write_text(text.replace("number,", "broken,", 1))
    for _ in range(2):
        with pytest.raises(GateError, match="the data were refused; version 2 stays champion"):
            second.retrain(3.0)
        assert nothing_new(second.root) is None
    assert aliases(second) == {CHAMPION: 2, PREVIOUS: 1}
    with registry_of(second) as registry:
        last = history(registry)["retrains"][-1]
    assert last["status"] == "FAILED" and "the data were refused" in last["error"]


def test_a_policy_that_says_no_trains_nothing_and_the_same_rows_are_not_counted_twice(second: Any) -> None:
    second.edit("{kind: always}", "{kind: new_rows, rows: 150}")
    second.append(100, 3)
    outcome = second.retrain(3.0)
    assert (outcome.status, outcome.reason) == ("not_due", "100 new rows, and 150 are asked for")
    assert second.calls == [["validate"]]
    second.append(60, 4)
    assert second.retrain(1.501).status == "kept", "160 rows are enough, and the challenger is no better"
    second.append(60, 5)
    assert second.retrain(3.0).reason == "60 new rows, and 150 are asked for", "counted from the latest version"


def test_drift_is_what_the_champion_has_not_been_trained_on(second: Any) -> None:
    second.edit("{kind: always}", "{kind: drift}")
    second.append(300, 3)
    assert second.retrain().reason == "0 columns have drifted, and 1 are asked for"
    second.append(300, 4, move=2.0)
    outcome = second.retrain(1.501, dry_run=True)
    assert (outcome.status, outcome.reason) == ("would_retrain", "1 columns have drifted (x1), and 1 are asked for")
    assert aliases(second) == {CHAMPION: 2, PREVIOUS: 1}
    with registry_of(second) as registry:
        assert len(registry.retrains()) == 3, "a dry run is not recorded"


def test_force_trains_whatever_the_policy_says_and_finds_the_champion_again(second: Any) -> None:
    outcome = second.retrain(1.5, force=True)
    assert (outcome.status, outcome.reason) == ("kept", "what was trained is the champion already")
    with registry_of(second) as registry:
        assert [version.number for version in registry.versions.all()] == [1, 2], "one version to a key"


def test_a_rollback_is_bit_equal_final_for_retrain_and_goes_back_step_by_step(second: Any) -> None:
    decision = second.roll_back()
    assert (decision.version, decision.previous, decision.kind) == (1, 2, "rollback")
    assert aliases(second) == {CHAMPION: 1, PREVIOUS: 2}
    outcome = second.retrain(1.5, force=True)
    assert outcome.status == "kept"
    assert outcome.reason.endswith("but a person has rolled it back before")
    assert aliases(second)[CHAMPION] == 1


@pytest.mark.parametrize("rule", ["non_inferior", "superior"])
def test_a_rollback_during_a_retrain_is_not_overruled_by_it(second: Any, rule: str) -> None:
    def meanwhile() -> None:
        second.roll_back(1, "an incident")

    second.append(200, 3)
    second.edit("min_test_rows: 50", f"min_test_rows: 50, margin: {{rule: {rule}, by: 0.1}}")
    second.during = meanwhile
    outcome = second.retrain(1.5)
    assert (outcome.status, outcome.champion) == ("kept", 1)
    assert "another decision came first: version 1, an incident" in outcome.reason
    assert aliases(second)[CHAMPION] == 1


def test_a_dry_run_registers_nothing_and_still_validates(bench: Any) -> None:
    outcome = bench.retrain(1.0, dry_run=True)
    assert (outcome.status, outcome.reason, outcome.champion) == ("would_retrain", "there is no champion", None)
    assert bench.calls == [["validate"]]
    with pytest.raises(Unregistered), model_registry(bench.params.tracking, bench.root, make=False):
        pass
    path = bench.root / "input/rows.csv"
    path.write_text(path.read_text().replace("number,", "broken,", 1))
    with pytest.raises(GateError, match="the data were refused; there is no champion"):
        bench.retrain(1.0, dry_run=True)


def test_one_retrain_at_a_time(second: Any) -> None:
    with registry_of(second) as registry, registry.turn(), pytest.raises(MachineError, match="is being retrained"):
        second.retrain()


def spoil_weights(registry: ModelRegistry, root: Path) -> None:
    for path in root.glob("mlartifacts/models/*/artifacts/data/**/weights.safetensors"):
        content = bytearray(path.read_bytes())
        content[-1] ^= 1
        path.write_bytes(bytes(content))


def swap_bundles(registry: ModelRegistry, root: Path) -> None:
    folders = sorted(path.parent for path in root.glob("mlartifacts/models/*/artifacts/data/**/manifest.json"))
    assert len(folders) == 2
    hold = root / "hold"
    folders[0].rename(hold)
    folders[1].rename(folders[0])
    hold.rename(folders[1])


def spoil_golden(registry: ModelRegistry, root: Path) -> None:
    found = list(root.glob("mlartifacts/*/artifacts/retraining/answers.json"))
    assert found
    for path in found:
        path.write_text("{")


def take_evidence(registry: ModelRegistry, root: Path) -> None:
    import shutil

    for path in root.glob("mlartifacts/*/artifacts/retraining"):
        shutil.rmtree(path)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (spoil_weights, "cannot be used by a fresh process"),
        (swap_bundles, "answers otherwise than the model that was judged"),
        (spoil_golden, "its golden batch cannot be read"),
        (take_evidence, "goodfit has kept nothing with it"),
    ],
)
def test_what_is_not_verified_never_becomes_champion(
    second: Any, spoil: Callable[[ModelRegistry, Path], None], words: str
) -> None:
    with registry_of(second) as registry:
        spoil(registry, second.root)
        with pytest.raises(DataError, match=words):
            second.roll_back(1)
        assert registry.versions.aliases() == {CHAMPION: 2, PREVIOUS: 1}
        assert len(registry.succession.history()) == 2


def test_champion_and_challenger_are_not_judged_on_rows_that_the_champion_has_seen(second: Any) -> None:
    second.append(100, 3)
    second.edit("seed: 7", "seed: 8")  # every row is dealt out anew: most test rows were trained on
    second.edit("min_test_rows: 50", "min_test_rows: 100")
    with pytest.raises(DataError, match="cannot judge champion and challenger"):
        second.retrain(2.0)
    assert aliases(second)[CHAMPION] == 2


def test_a_tracker_that_is_down_promotes_nothing(second: Any) -> None:
    before = aliases(second)
    second.append(100, 3)
    second.edit("model_name: bench}", "model_name: bench, uri: 'http://127.0.0.1:9'}")
    with pytest.raises(ServiceError, match="does not answer"):
        second.retrain(2.0)
    second.edit(", uri: 'http://127.0.0.1:9'", "")
    assert aliases(second) == before


def test_a_version_is_traced_to_data_settings_and_environment(second: Any) -> None:
    from goodfit.files import digest_of_file

    with registry_of(second) as registry:
        found = trace(registry, 2)
    assert found["data"]["data/raw.parquet"] == digest_of_file(second.root / "data/raw.parquet")
    assert found["params"] == {"skill": "1.5"}
    assert found["aliases"] == [CHAMPION]
    assert found["environment"]["torch"] and found["environment"]["machine.threads"] == "1"
    assert found["decided"]["decision"] == "promotion"
    assert [decision["number"] for decision in found["champion"]] == [2]
