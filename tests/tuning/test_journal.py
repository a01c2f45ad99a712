"""The journal of a search: durable, torn tails cut off, damage elsewhere refused."""

import errno
import os
from pathlib import Path

import pytest

from goodfit.errors import MachineError, ServiceError
from goodfit.tuning.journal import Journal

EVENTS = [
    {"event": "asked", "n": 1, "text": "é\n\0"},
    {"event": "told", "value": 0.1},
    {"event": "told", "value": None},
]


def written(path: Path) -> bytes:
    with Journal(path) as journal:
        for event in EVENTS:
            journal.append(event)
    return path.read_bytes()


def test_events_come_back_in_order(tmp_path: Path) -> None:
    written(tmp_path / "deep/journal")
    with Journal(tmp_path / "deep/journal") as journal:
        assert journal.events == EVENTS


def test_an_event_is_on_disk_before_append_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    for name in ("write", "fsync"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *given, name=name, real=real: (calls.append(name), real(*given))[1])
    with Journal(tmp_path / "journal") as journal:
        calls.clear()
        journal.append({"event": "a"})
        assert calls == ["write", "fsync"]


def test_a_tail_torn_at_any_byte_is_cut_off_and_written_over(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    whole = written(path)
    ends = [index + 1 for index, byte in enumerate(whole) if byte == 10]
    assert len(ends) == len(EVENTS)
    for length in range(len(whole) + 1):
        path.write_bytes(whole[:length])
        with Journal(path) as journal:
            assert journal.events == EVENTS[: sum(end <= length for end in ends)]
            journal.append({"event": "next"})
        with Journal(path) as journal:
            assert journal.events[-1] == {"event": "next"}


@pytest.mark.parametrize("tail", [b"\0" * 64, b"\0\0\0\n", b"garbage\n", b"0badc0de {}\n", b"\n"])
def test_a_tail_of_anything_else_is_cut_off(tmp_path: Path, tail: bytes) -> None:
    path = tmp_path / "journal"
    path.write_bytes(written(path) + tail)
    with Journal(path) as journal:
        assert journal.events == EVENTS


def test_a_flipped_bit_is_never_read_as_an_event(tmp_path: Path) -> None:
    """Before the last entry it is refused, for acknowledged entries follow; in the last one it is a torn tail."""
    path = tmp_path / "journal"
    whole = written(path)
    last = whole.rindex(b"\n", 0, -1) + 1
    for index in range(len(whole)):
        path.write_bytes(whole[:index] + bytes([whole[index] ^ 1]) + whole[index + 1 :])
        if index < last - 1:
            with pytest.raises(ServiceError, match=r"damaged at byte .* delete the file"):
                Journal(path)
        else:
            with Journal(path) as journal:
                assert journal.events == EVENTS[: -2 if index == last - 1 else -1]


def test_two_writers_are_told_apart(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal") as one, Journal(tmp_path / "journal") as two:
        one.append({"event": "a"})
        with pytest.raises(MachineError, match="another process"):
            two.append({"event": "b"})
        one.append({"event": "c"})
    with Journal(tmp_path / "journal") as journal:
        assert [event["event"] for event in journal.events] == ["a", "c"]


def test_a_full_disk_leaves_whole_entries_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int, content: bytes) -> int:
        write(descriptor, content[:5])
        raise OSError(errno.ENOSPC, "No space left on device")

    write = os.write
    with Journal(tmp_path / "journal") as journal:
        journal.append({"event": "a"})
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", full)
            with pytest.raises(ServiceError, match="No space left"):
                journal.append({"event": "b"})
        journal.append({"event": "c"})
        assert [event["event"] for event in journal.events] == ["a", "c"]
    with Journal(tmp_path / "journal") as journal:
        assert [event["event"] for event in journal.events] == ["a", "c"]


def test_a_short_write_is_no_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    with Journal(tmp_path / "journal") as journal, monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda descriptor, content: write(descriptor, content[:3]))
        with pytest.raises(ServiceError, match="only 3 of"):
            journal.append({"event": "a"})
    assert (tmp_path / "journal").read_bytes() == b""


def test_a_folder_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "journal").mkdir()
    with pytest.raises(ServiceError, match="cannot be opened"):
        Journal(tmp_path / "journal")
