"""The server follows the alias of a real registry, and keeps what it has where the new champion cannot be used."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from goodfit.serving.choosing import choose
from goodfit.serving.following import Follower
from goodfit.tracking import CHAMPION, model_registry


def soon(condition: Callable[[], bool], seconds: float = 30) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def test_champion_version_and_folder_are_found(second: Any, tmp_path: Path) -> None:
    def chosen(wanted: str | None) -> int | None:
        return choose(wanted, second.root, lambda: second.params.tracking, tmp_path).version

    assert [chosen(None), chosen("champion"), chosen("1"), chosen("candidate")] == [2, 2, 1, None]


def test_the_alias_is_followed_and_a_broken_champion_is_not(second: Any, tmp_path: Path, capsys: Any) -> None:
    section = second.params.tracking
    follower = Follower(choose(None, second.root, lambda: section, tmp_path))
    assert follower.current.version == 2
    follower.start(section, second.root, every=0.1)
    try:
        with model_registry(section, second.root) as registry:
            registry.versions.point(CHAMPION, 1)
            assert soon(lambda: follower.current.version == 1), "it did not follow"
            place = Path(registry.versions.download(2, tmp_path / "where"))
            assert place.exists()
            stored = [path for path in second.root.rglob("weights.safetensors") if _holds(path, place / path.name)]
            assert stored
            for path in stored:
                path.write_bytes(b"broken")
            registry.versions.point(CHAMPION, 2)
            assert soon(lambda: "version 2 is champion and cannot be used" in follower.trouble)
            assert follower.current.version == 1
            registry.versions.point(CHAMPION, 1)
            assert soon(lambda: follower.trouble == "")
    finally:
        follower.stop()
    assert "goes on answering" in capsys.readouterr().err
    assert not [thread for thread in threading.enumerate() if thread.name == "follower"]


def _holds(stored: Path, copy: Path) -> bool:
    return stored.read_bytes() == copy.read_bytes()


def test_a_store_that_is_down_leaves_the_model(second: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    section = second.params.tracking
    follower = Follower(choose(None, second.root, lambda: section, tmp_path))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    follower.start(section, second.root, every=0.1)
    assert soon(lambda: "the champion cannot be followed" in follower.trouble)
    assert follower.current.version == 2
    follower.stop()
