"""Artifacts are looked at before they are copied."""

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from goodfit.errors import DataError
from goodfit.tracking import downloading
from goodfit.tracking.downloading import Artifacts, local_folder


@pytest.fixture
def artifacts(tmp_path: Path) -> Artifacts:
    (tmp_path / "store/data/b").mkdir(parents=True)
    (tmp_path / "store/data/b/manifest.json").write_text("{}")
    return Artifacts(str(tmp_path / "store"), f"sqlite:///{tmp_path}/x.db", "version 1")


def test_a_folder_is_found_by_its_file_and_copied(artifacts: Artifacts, tmp_path: Path) -> None:
    assert artifacts.folder_of("manifest.json") == "data/b"
    assert artifacts.folder_of("elsewhere") is None
    copied = artifacts.copy("data/b", tmp_path / "here")
    assert copied is not None and (copied / "manifest.json").read_text() == "{}"
    assert artifacts.copy("nothing", tmp_path / "there") is None


@pytest.mark.parametrize("kind", ["device", "pipe", "link"])
def test_what_is_no_plain_file_is_never_opened(artifacts: Artifacts, tmp_path: Path, kind: str) -> None:
    place = tmp_path / "store/data/b/weights"
    (tmp_path / "secret").write_text("secret")
    if kind == "pipe":
        os.mkfifo(place)
    else:
        place.symlink_to("/dev/zero" if kind == "device" else tmp_path / "secret")
    with pytest.raises(DataError, match="version 1: has (something that is no plain file|a file that is empty)"):
        artifacts.copy("data/b", tmp_path / "here")
    assert not (tmp_path / "here").exists()


def test_sizes_count_together_and_so_do_files(
    artifacts: Artifacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        (tmp_path / f"store/data/b/{number}").write_bytes(bytes(1 << 20))
    monkeypatch.setattr(downloading, "MOST_BYTES", 3 << 20)
    with pytest.raises(DataError, match=r"has 3,145,730 bytes in its files, and may have at most 3,145,728"):
        artifacts.copy("data/b", tmp_path / "here")
    monkeypatch.setattr(downloading, "MOST_FILES", 3)
    with pytest.raises(DataError, match="has more than 3 files"):
        artifacts.folder_of("elsewhere")


def test_a_store_that_keeps_the_size_to_itself_is_not_trusted(artifacts: Artifacts, tmp_path: Path) -> None:
    entry: Any = SimpleNamespace(path="data/b/manifest.json", is_dir=False, file_size=None)
    artifacts._repository = SimpleNamespace(list_artifacts=lambda path: [entry])
    with pytest.raises(DataError, match="the store does not say the size: data/b/manifest.json"):
        artifacts.copy("data/b", tmp_path / "here")


def test_a_local_place_is_known_from_a_remote_one() -> None:
    assert local_folder("/a/b") == Path("/a/b")
    assert local_folder("file:///a/b%20c") == Path("/a/b c")
    assert local_folder("mlflow-artifacts:/1/models") is None
