"""`tune.champion` through the real stage: a champion that cannot be begun with is said."""

from pathlib import Path
from typing import Any

import pytest

from goodfit.files import write_json


@pytest.mark.parametrize(("width", "said"), [(100_000, True), (16, False)])
def test_a_champion_outside_the_space_is_said(snapshots: Any, tmp_path: Path, width: int, said: bool) -> None:
    project = snapshots["split"].copy(tmp_path / "project")
    project.edit("params.yaml", "  trials: 3\n", "  trials: 3\n  champion: true\n")
    point = {"GOODFIT_TEST": "1", "GOODFIT_FAILPOINT": "search.before_study:KILL"}
    assert project.run("python", "pipeline/tune.py", **point).returncode == -9
    (kept,) = (project.root / ".goodfit/state/tune").glob("*/champion.json")  # a search goes on with what it began with
    champion = {"model.width": width, "regularization.dropout.p": 0.1}
    write_json(kept, champion)
    result = project.run("python", "pipeline/tune.py")
    assert result.returncode == 0, result.stdout
    assert ("tune: the champion's settings do not lie inside tune.space" in result.stdout) is said
