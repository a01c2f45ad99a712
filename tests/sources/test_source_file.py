"""One open file, read more than once."""

from pathlib import Path

import pytest

from goodfit.sources.files import SourceFile


def test_a_pass_does_not_move_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A parser that has given up may still read ahead while its file is looked at again."""
    monkeypatch.chdir(tmp_path)
    Path("rows.csv").write_bytes(b"a,b\n1,2\n")
    with SourceFile("rows.csv") as file:
        first = file.stream()
        assert first.read(2) == b"a,"
        second = file.stream()
        assert first.read(3) == b"b\n1"
        assert second.read() == b"a,b\n1,2\n"
        assert first.read() == b",2\n"
