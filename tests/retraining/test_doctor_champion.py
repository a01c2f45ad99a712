"""`goodfit doctor` on the champion: what the alias names must load and answer as when it was judged."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from goodfit.doctor import Finding, examine, mend
from goodfit.doctor.champion import examine_champion
from goodfit.tracking import CHAMPION, Unregistered, model_registry


def found(bench: Any) -> Finding:
    (finding,) = examine(bench.root, (examine_champion,))
    return finding


def stored(bench: Any) -> list[Path]:
    return sorted(bench.root.glob("mlartifacts/models/*/artifacts/data/**/weights.safetensors"), key=os.path.getmtime)


def test_a_workspace_without_a_champion_is_well_and_gets_no_database(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text("tracking: {experiment: x, model_name: x}\n")
    (finding,) = examine(tmp_path, (examine_champion,))
    assert finding.ok and finding.detail == "there is none yet"
    assert not (tmp_path / "mlflow.db").exists()


def test_a_look_registers_no_model(bench: Any) -> None:
    assert found(bench).detail == "there is none yet"
    with pytest.raises(Unregistered), model_registry(bench.params.tracking, bench.root, make=False):
        pass


def test_a_champion_that_cannot_be_loaded_is_told_and_mended_from_the_candidate(second: Any) -> None:
    whole = (second.root / "models/candidate/weights.safetensors").read_bytes()
    (place,) = [path for path in stored(second) if path.read_bytes() == whole]
    place.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    finding = found(second)
    assert not finding.ok and "cannot be used by a fresh process" in finding.detail
    assert mend([finding]) == [] and place.read_bytes() == whole
    assert found(second).detail == "version 2 loads, and answers as when it was judged"


@pytest.mark.faults
def test_a_champion_that_is_lost_is_left_to_a_person(second: Any) -> None:
    for place in stored(second):
        place.write_bytes(b"")
    (second.root / "models/candidate/bundle.json").write_text("{}")
    finding = found(second)
    assert not finding.ok and finding.mend is None, "the candidate is another one"
    assert finding.detail.endswith("Or choose another: goodfit rollback.")


def test_an_alias_that_was_removed_is_put_back_and_one_moved_by_hand_is_respected(second: Any) -> None:
    with model_registry(second.params.tracking, second.root) as registry:
        registry.versions.unpoint(CHAMPION)
        finding = found(second)
        assert not finding.ok and "do not follow decision 2" in finding.detail
        assert mend([finding]) == [] and registry.versions.aliases()[CHAMPION] == 2
        registry.versions.point(CHAMPION, 1)
    finding = found(second)
    assert finding.ok and "moved by hand" in finding.detail


@pytest.mark.faults
def test_a_promotion_that_was_killed_is_finished(second: Any) -> None:
    environment = {**os.environ, "GOODFIT_TEST": "1", "GOODFIT_FAILPOINT": "promote.decided:KILL"}
    command = [sys.executable, str(Path(__file__).with_name("bench.py")), str(second.root), "rollback"]
    assert subprocess.run(command, env=environment, capture_output=True).returncode == -9
    finding = found(second)
    assert not finding.ok and mend([finding]) == []
    with model_registry(second.params.tracking, second.root) as registry:
        assert registry.versions.aliases()[CHAMPION] == 1
    assert found(second).ok
