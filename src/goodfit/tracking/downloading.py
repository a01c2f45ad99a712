"""Copies of registered artifacts, looked at before a byte is fetched: whoever writes to the store may exchange them.

A folder that is too large, holds a file whose size nobody tells, or, on this machine, something that is no plain file
(a link, a device, a pipe, of which a copy might never end) is refused.
"""

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from goodfit.errors import DataError, Fault

MOST_BYTES = 3 << 30
"""More than a bundle may have in all (`goodfit.bundle.seal`), and than what is kept with it ever has."""
MOST_FILES = 1000
REMEDY = "Choose another: goodfit history lists them."


class Artifacts:
    """The files below an artifact location.

    Args:
        place: the location, as the store names it.
        uri: the tracking URI.
        name: whose they are, for messages.
    """

    def __init__(self, place: str, uri: str, name: str) -> None:
        from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

        self._repository: Any = get_artifact_repository(place, tracking_uri=uri)
        self._local = local_folder(place)
        self.name = name

    def folder_of(self, file: str) -> str | None:
        """Return the folder that holds a file of that name, the first by name; "" is the location itself, None none.

        Raises:
            DataError: there are too many files to look through.
        """
        folders = [path.rpartition("/")[0] for path, _ in self._below("") if path.rpartition("/")[2] == file]
        return min(folders) if folders else None

    def copy(self, path: str, folder: Path) -> Path | None:
        """Copy what lies below `path` into `folder`; return where it lies, None if nothing does.

        Raises:
            DataError: it is too large, or something else than files.
        """
        sizes = dict(self._below(path))
        if not sizes:
            return None
        unknown = sorted(name for name, size in sizes.items() if size is None)
        if unknown:
            raise self._refused(f"has a file that is empty, or of which the store does not say the size: {unknown[0]}")
        total = sum(size for size in sizes.values() if size is not None)
        if total > MOST_BYTES:
            raise self._refused(f"has {total:,} bytes in its files, and may have at most {MOST_BYTES:,}")
        self._check_plain(sizes)
        folder.mkdir(parents=True, exist_ok=True)
        return Path(self._repository.download_artifacts(path, dst_path=str(folder)))

    def put(self, folder: Path, path: str) -> None:
        """Store the files of a folder at `path`."""
        self._repository.log_artifacts(str(folder), path)

    def _below(self, path: str) -> Iterator[tuple[str, int | None]]:
        """Yield path and size of each file."""
        waiting, seen = [path], 0
        while waiting:
            for entry in self._repository.list_artifacts(waiting.pop() or None):
                seen += 1
                if seen > MOST_FILES:
                    raise self._refused(f"has more than {MOST_FILES:,} files")
                if entry.is_dir:
                    waiting.append(str(entry.path))
                else:
                    yield str(entry.path), entry.file_size or None

    def _check_plain(self, names: dict[str, int | None]) -> None:
        if self._local is None:
            return
        for name in names:
            if not stat.S_ISREG((self._local / name).lstat().st_mode):
                raise self._refused(f"has something that is no plain file: {name}")

    def _refused(self, rule: str) -> DataError:
        return DataError([Fault(self.name, rule, None, REMEDY)])


def local_folder(place: str) -> Path | None:
    """Return the folder that an artifact location is on this machine, None for a remote one."""
    parts = urlsplit(place)
    if parts.scheme == "file":
        return Path(url2pathname(parts.path))
    return None if parts.scheme else Path(place)
