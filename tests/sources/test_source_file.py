"""One open file, read more than once."""

import os
from pathlib import Path

import pytest

from goodfit.errors import DataError
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


@pytest.mark.parametrize("digested", [True, False])
def test_a_file_that_is_written_while_it_is_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, digested: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path("rows.csv")
    path.write_bytes(b"a,b\n1,2\n")
    with SourceFile("rows.csv", digested=digested) as file:
        file.unchanged()
        path.write_bytes(b"a,b\n3,4\n")  # as long as before
        before = path.stat()
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1_000_000))  # a clock may be coarse
        with pytest.raises(DataError, match="changed"):
            file.unchanged()
