"""The files under deploy/ are what their readers take, as far as that can be seen without a cluster."""

import ast
import re
import shutil
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from goodfit.params import read_yaml
from goodfit.scheduling import timetable

DEPLOY = Path(__file__).parents[2] / "deploy"
COMMAND = ".venv/bin/goodfit retrain --json"


def dag_file() -> ast.Module:
    return ast.parse((DEPLOY / "airflow_dag.py").read_text())


def workflow() -> dict[str, Any]:
    return read_yaml(DEPLOY / "github-actions.yml")


def cronjob() -> dict[str, Any]:
    (document,) = YAML(typ="safe", pure=True).load_all((DEPLOY / "kubernetes.yaml").read_text())
    return document


def test_every_file_is_in_the_table_and_calls_the_same_command() -> None:
    files = [path for path in DEPLOY.iterdir() if path.name != "README.md" and path.is_file()]
    readme = (DEPLOY / "README.md").read_text()
    assert len(files) == 6
    for path in files:
        assert f"]({path.name})" in readme
    for name in ("goodfit.cron", "goodfit-retrain.service", "github-actions.yml"):
        assert COMMAND in (DEPLOY / name).read_text()
    (container,) = cronjob()["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    assert " ".join(container["command"]) == COMMAND


def test_they_all_mean_the_same_time() -> None:
    lines = (DEPLOY / "goodfit.cron").read_text().splitlines()
    (job,) = [line for line in lines if re.match(r"[\d*]", line)]
    calendar = re.search(r"OnCalendar=\*-\*-\* (\d+):(\d+):00", (DEPLOY / "goodfit-retrain.timer").read_text())
    assert calendar
    dag = {k.arg: k.value for n in ast.walk(dag_file()) if isinstance(n, ast.Call) for k in n.keywords}
    found = [
        " ".join(job.split()[:5]),
        f"{int(calendar[2])} {int(calendar[1])} * * *",
        workflow()["on"]["schedule"][0]["cron"],
        cronjob()["spec"]["schedule"],
        ast.literal_eval(dag["schedule"]),
    ]
    assert set(found) == {"17 3 * * *"}
    timetable(found[0])


def test_the_cron_file_is_a_users_crontab() -> None:
    for line in (DEPLOY / "goodfit.cron").read_text().splitlines():
        assert re.fullmatch(r"#.*|\w+=\S+|(?:\S+ ){5}cd /srv/goodfit && .*", line), line
        assert line.startswith("#") or "%" not in line, "cron takes % for the end of the line"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    for name in ("goodfit-retrain.service", "goodfit-retrain.timer"):
        text = (DEPLOY / name).read_text().replace("/srv/goodfit/.venv/bin/goodfit", shutil.which("true") or "")
        (tmp_path / name).write_text(text.replace("User=goodfit\n", ""))
    units = [str(tmp_path / name) for name in ("goodfit-retrain.service", "goodfit-retrain.timer")]
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True, check=False
    )
    told = [line for line in done.stderr.splitlines() if "goodfit" in line]
    assert (done.returncode, told) == (0, []), done.stderr
    (tmp_path / "goodfit-retrain.service").write_text(Path(units[0]).read_text().replace("Type=oneshot", "Type=never"))
    again = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", units[0]], capture_output=True, text=True, check=False
    )
    assert "never" in again.stderr, "the check cannot fail"


def test_the_workflow_is_whole() -> None:
    found = workflow()
    assert set(found) == {"name", "on", "permissions", "concurrency", "jobs"}
    assert found["permissions"] == {"contents": "write", "issues": "write"}
    assert found["concurrency"]["cancel-in-progress"] is False
    (job,) = found["jobs"].values()
    assert {"runs-on", "timeout-minutes", "env", "steps"} == set(job)
    scripts = [step["run"] for step in job["steps"] if "run" in step]
    assert all(set(step) <= {"name", "run", "uses", "with", "if", "env", "shell"} for step in job["steps"])
    whole = "\n".join(scripts)
    for part in ("make install", "dvc pull", COMMAND, "dvc push", "git add dvc.lock", "[skip ci]", "gh issue create"):
        assert part in whole, part
    assert whole.index("dvc push") < whole.index("git push"), "git must not name data that the remote has not"
    assert [step.get("if") for step in job["steps"]][-1] == "failure()"
    for script in scripts:
        plain = re.sub(r"\$\{\{.*?\}\}", "x", script)
        done = subprocess.run(["bash", "-n"], input=plain, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    named = re.findall(r"secrets\.(\w+)", (DEPLOY / "github-actions.yml").read_text())
    assert "MLFLOW_TRACKING_PASSWORD" in named and "${{" not in whole, "what comes from outside goes through env"


def test_the_cronjob_is_whole() -> None:
    found = cronjob()
    assert (found["apiVersion"], found["kind"]) == ("batch/v1", "CronJob")
    spec = found["spec"]
    assert spec["concurrencyPolicy"] == "Forbid"
    job = spec["jobTemplate"]["spec"]
    pod = job["template"]["spec"]
    assert pod["restartPolicy"] == "Never", "podFailurePolicy needs it"
    (container,) = pod["containers"]
    (rule,) = job["podFailurePolicy"]["rules"]
    assert rule["onExitCodes"]["containerName"] == container["name"]
    assert rule["onExitCodes"]["values"] == [2, 3, 6]
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
    assert job["activeDeadlineSeconds"] > pod["terminationGracePeriodSeconds"]


@pytest.mark.parametrize(
    ("code", "error"), [(0, None), (2, "fail"), (3, "fail"), (6, "fail"), (4, "retry"), (5, "retry")]
)
def test_the_dag_runs_and_fails_as_it_should(monkeypatch: pytest.MonkeyPatch, code: int, error: str | None) -> None:
    """Airflow itself is not installed here: its decorators are stood in for by functions of the same shape."""

    class Retry(Exception):
        pass

    class Fail(Exception):
        pass

    asked: dict[str, Any] = {}

    def dag(**options: Any) -> Any:
        asked.update(options)
        return lambda function: function

    decorators, exceptions = types.ModuleType("airflow.decorators"), types.ModuleType("airflow.exceptions")
    decorators.dag, decorators.task = dag, lambda function: function  # type: ignore[attr-defined]
    exceptions.AirflowException, exceptions.AirflowFailException = Retry, Fail  # type: ignore[attr-defined]
    for name, module in (
        ("airflow", types.ModuleType("airflow")),
        ("airflow.decorators", decorators),
        ("airflow.exceptions", exceptions),
    ):
        monkeypatch.setitem(sys.modules, name, module)
    commands: list[Any] = []

    def ran(command: list[str], cwd: str, check: bool) -> Any:
        commands.append(command)
        return subprocess.CompletedProcess(command, code)

    monkeypatch.setattr(subprocess, "run", ran)
    program = compile((DEPLOY / "airflow_dag.py").read_text(), "airflow_dag.py", "exec")
    expected = {None: (), "fail": Fail, "retry": Retry}[error]
    if expected:
        with pytest.raises(expected, match=f"exit code {code}"):  # type: ignore[arg-type]
            exec(program, {})
    else:
        exec(program, {})
    assert [" ".join(command) for command in commands] == [COMMAND]
    assert asked["max_active_runs"] == 1 and asked["catchup"] is False
