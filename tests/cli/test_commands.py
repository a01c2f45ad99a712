import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from goodfit.cli.main import app

ROOT = Path(__file__).parents[2]
GOODFIT = str(Path(sys.executable).parent / "goodfit")


def goodfit(root: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("GOODFIT", "MLFLOW", "DVC"))}
    return subprocess.run([GOODFIT, *arguments], cwd=root, env=clean, capture_output=True, text=True, check=False)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(ROOT / name, root)
    for name in ("pipeline", "expectations"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    return root


VERBS = ("repro", "check", "doctor", "config", "sync", "ui", "expectations", "retrain", "rollback", "history", "trace")


@pytest.mark.parametrize("verb", [*VERBS, "predict", "serve", "schedule", "backtest"])
def test_every_verb_has_help(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    app([verb, "--help"], standalone_mode=False)
    assert "Usage" in capsys.readouterr().out


def test_the_version_is_printed(tmp_path: Path) -> None:
    assert goodfit(tmp_path, "--version").stdout.startswith("goodfit 0.")


def test_a_command_does_not_import_what_only_others_need() -> None:
    heavy = ("optuna", "torch", "pandas", "mlflow", "sklearn", "scipy")
    code = f"import sys, goodfit.cli.main; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("arguments", [["nonsense"], ["doctor", "--nonsense"], ["ui", "--port", "0"]])
def test_wrong_arguments_exit_2(tmp_path: Path, arguments: list[str]) -> None:
    result = goodfit(tmp_path, *arguments)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr


def test_check_accepts_the_default_project(workspace: Path) -> None:
    result = goodfit(workspace, "check")
    assert (result.returncode, result.stdout) == (0, "params.yaml: every section is sound\n")


def test_check_names_each_section_that_dvc_would_miss(workspace: Path) -> None:
    params = workspace / "params.yaml"
    text = params.read_text()
    assert "evaluate: {}\n" in text and "seed: 42\n" in text
    params.write_text(text.replace("evaluate: {}\n", "").replace("seed: 42\n", ""))
    result = goodfit(workspace, "check")
    assert result.returncode == 2
    assert result.stderr.count("params.yaml: evaluate: is missing. Write evaluate: {}") == 1
    assert result.stderr.count("params.yaml: seed:") == 1


def test_check_lists_the_faults_of_all_stages_at_once(workspace: Path) -> None:
    params = workspace / "params.yaml"
    text = params.read_text()
    for old, new in (("epochs: 60", "epcohs: 60"), ("kind: stratified", "kind: startified"), ("seed: 42", "seed: -1")):
        assert old in text
        text = text.replace(old, new)
    params.write_text(text.replace("model.layers: {low: 1, high: 2}", "model.layrs: {low: 3, high: 1}"))
    result = goodfit(workspace, "check")
    assert result.returncode == 2
    assert "training.epcohs: unknown option. Did you mean 'epochs'?" in result.stderr
    assert "split.kind: unknown kind (it is 'startified'). Did you mean 'stratified'?" in result.stderr
    assert result.stderr.count("params.yaml: seed:") == 1
    assert "tune.space.model.layrs" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_verb_outside_of_a_project_says_so(tmp_path: Path) -> None:
    result = goodfit(tmp_path, "check")
    assert result.returncode == 2
    assert "Run goodfit in the folder of the project." in result.stderr


def test_doctor_speaks_json(workspace: Path) -> None:
    result = goodfit(workspace, "doctor", "--json")
    findings = json.loads(result.stdout)
    assert {"name", "ok", "detail", "mendable"} == set(findings[0])
    assert result.returncode == 4, "the folder is no git repository"


def test_a_suite_is_drafted_from_the_source_and_never_overwritten(workspace: Path) -> None:
    result = goodfit(workspace, "expectations", "draft", "expectations/draft.yaml")
    assert result.returncode == 0, result.stderr
    text = (workspace / "expectations/draft.yaml").read_text()
    assert "tenure" in text
    again = goodfit(workspace, "expectations", "draft", "expectations/draft.yaml")
    assert again.returncode == 2
    assert "is there already" in again.stderr
    assert (workspace / "expectations/draft.yaml").read_text() == text


def test_signals_are_heard_again_after_dvc_has_ended() -> None:
    from goodfit.cli.repro import _run

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    assert _run([sys.executable, "-c", "raise SystemExit(3)"], quiet=True) == 3
    assert {number: signal.getsignal(number) for number in before} == before
