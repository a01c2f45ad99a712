"""What a stage imports: seconds in every run, so what it does not need it does not import."""

import re
import sys
from pathlib import Path
from typing import Any

import pytest

COMPILER = {"torch._dynamo", "torch._inductor", "sympy"}  # torch's compiler and its algebra: 3 seconds


def imported(log: str) -> set[str]:
    return {line.rsplit("|", 1)[1].strip() for line in log.splitlines() if re.match(r"import time: .*\|", line)}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stage", "unneeded"),
    [
        ("tune", COMPILER | {"pytorch_lightning", "scipy.stats", "sklearn", "torchmetrics"}),
        ("evaluate", COMPILER),
    ],
)
def test_a_stage_waits_for_no_import_that_it_does_not_use(
    snapshots: Any, tmp_path: Path, stage: str, unneeded: set[str]
) -> None:
    project = snapshots[{"tune": "split", "evaluate": "train"}[stage]].copy(tmp_path / "project")
    (project.root / "artifacts").mkdir(exist_ok=True)
    result = project.run(sys.executable, "-X", "importtime", f"pipeline/{stage}.py")
    assert result.returncode == 0, result.stdout
    found = imported(result.stdout)
    assert {"torch", "pandas"} <= found, "the log of imports was read"
    assert unneeded & found == set()
