"""The quarantine file says which raw rows stay, and refuses to speak of another table."""

from pathlib import Path

import pandas as pd
import pytest

from goodfit.data.quarantine import POSITION, REASONS, kept_rows, write_quarantine
from goodfit.errors import DataError

FRAME = pd.DataFrame({"a": [1, 2, 3, 4], "b": pd.Categorical(["x", "y", None, "x"])})


def test_rows_set_aside_are_kept_with_their_reasons(tmp_path: Path) -> None:
    path = tmp_path / "quarantine.parquet"
    write_quarantine(path, FRAME, [1, 3], ["too old", "no name; too old"])
    aside = pd.read_parquet(path)
    assert aside["a"].tolist() == [2, 4]
    assert aside[POSITION].tolist() == [1, 3]
    assert aside[REASONS].tolist() == ["too old", "no name; too old"]
    assert kept_rows(4, path).tolist() == [True, False, True, False]


def test_an_empty_quarantine_keeps_every_row(tmp_path: Path) -> None:
    path = tmp_path / "quarantine.parquet"
    write_quarantine(path, FRAME, [], [])
    assert kept_rows(4, path).all() and len(pd.read_parquet(path)) == 0


def test_equal_quarantines_have_equal_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_quarantine(tmp_path / name, FRAME, [2], ["r"])
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_quarantine_of_another_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "quarantine.parquet"
    write_quarantine(path, FRAME, [1], ["r"])
    with pytest.raises(DataError, match="does not belong to the raw table of 5 rows"):
        kept_rows(5, path)
    FRAME.to_parquet(path)
    with pytest.raises(DataError, match="does not belong"):
        kept_rows(4, path)
    path.write_bytes(b"PAR1 torn")
    with pytest.raises(DataError, match="not readable"):
        kept_rows(4, path)
