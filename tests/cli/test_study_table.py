"""The table that a study prints fits into a narrow terminal, and no name in it is broken."""

import pandas as pd
import pytest

from goodfit.cli.studies import _show
from goodfit.evaluation import Finding


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_names_stay_whole_in_a_narrow_terminal(
    columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    names = ["regularization.weight_decay", "regularization.dropout"]
    figures = {f"a_figure_of_{n}": [0.123456, -0.5] for n in range(5)}
    table = pd.DataFrame({"without": names, **figures})
    _show("ablation", Finding("Ablation", "It pays.", {"table": table}), as_json=False)
    lines = capsys.readouterr().out.splitlines()
    assert all(any(name in line for line in lines) for name in names)
    assert max(map(len, lines)) <= columns
    assert "0.1235" in "".join(lines) or columns == 60
