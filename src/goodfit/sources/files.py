"""One file of a source, local or remote: opened once, read as often as needed, and sure to be the same each time."""

import hashlib
import io
import os
import stat
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO
from urllib.parse import unquote, urlsplit

from goodfit.errors import ConfigurationError, Fault, MachineError, suggestion
from goodfit.files import CHUNK
from goodfit.sources.packed import unpacked
from goodfit.sources.remote import changed, fetch, is_remote

PLACE = "params.yaml: source.path"
KINDS = {stat.S_IFIFO: "a pipe", stat.S_IFDIR: "a folder", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device"}
"""What a path may be that can be opened and never ends, or never answers."""


class SourceFile:
    """An open file; `name` is how messages call it, `digest` ("" where none is asked for) and `size` are its bytes'."""

    def __init__(self, path: str, *, unpack: bool = False, digested: bool = True) -> None:
        """Open a path or URL.

        Args:
            path: relative to the project, or a URL that fsspec knows.
            unpack: read through gzip, bzip2, xz and a zip of one file.
            digested: compute the digest; without it, which spares two passes over the file, a change is known by the
                file's size and time alone.
        """
        self.name = path
        self._stack = ExitStack()
        try:
            self._local = None if is_remote(path) else local_path(path)
            self._raw = self._stack.enter_context(open_regular(path, self._local) if self._local else fetch(path))
            self._before = _identity(self._local)
            self.digest = _sha256(self._raw) if digested else ""
            self.size = os.fstat(self._raw.fileno()).st_size
            self._stream = self._stack.enter_context(unpacked(path, self._raw)) if unpack else self._raw
        except BaseException:
            self._stack.close()
            raise

    def stream(self) -> io.FileIO:
        """Return the content from its start, with a place of its own. It is closed with the file.

        A copy of the descriptor would share its place with passes before, which a parser's threads may still be moving.
        """
        return self._stack.enter_context(io.FileIO(f"/proc/self/fd/{self._stream.fileno()}"))

    def unchanged(self) -> None:
        """Raise DataError if the file is no longer the one that was opened: by name, size, time and its digest."""
        same = _identity(self._local) == self._before
        if not same or (self.digest and _sha256(self._raw) != self.digest):
            raise changed(self.name)

    def close(self) -> None:
        """Close it."""
        self._stack.close()

    def __enter__(self) -> "SourceFile":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()


def local_path(path: str) -> Path:
    """Return the local path of a relative path or a file:// URL."""
    return Path(unquote(urlsplit(path).path)) if path.startswith("file://") else Path(path)


def open_regular(name: str, path: Path) -> IO[bytes]:
    """Open a regular file; pipes and devices are refused before they can block.

    Raises:
        ConfigurationError: there is no such file, or it is something else.
        MachineError: no permission to read it.
    """
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            kind = KINDS.get(stat.S_IFMT(found.st_mode), "something else")
            raise ConfigurationError(
                [Fault(PLACE, f"must name a file, and this is {kind}", name, "Name a regular file.")]
            )
        return path.open("rb", buffering=0)
    except OSError as error:
        raise _unopened(name, path, error) from error


def _unopened(name: str, path: Path, error: OSError) -> Exception:
    if isinstance(error, PermissionError):
        return MachineError(
            [Fault(name, "may not be read by this user", None, f"Give read permission: chmod u+r {path}")]
        )
    if path.is_symlink() and isinstance(error, FileNotFoundError):
        return ConfigurationError(
            [
                Fault(
                    PLACE,
                    "is a link to a file that is not there",
                    name,
                    "Mend the link: dvc checkout does it for files of DVC.",
                )
            ]
        )
    if isinstance(error, FileNotFoundError):
        return ConfigurationError([Fault(PLACE, "there is no such file", name, _near(path))])
    return ConfigurationError([Fault(PLACE, f"cannot be opened: {error.strerror}", name, "Name a regular file.")])


def _near(path: Path) -> str:
    folder = path.parent
    names = [str(folder / entry.name) for entry in folder.iterdir()][:200] if folder.is_dir() else []
    return suggestion(path, names) if names else f"There is nothing in the folder '{folder}'."


def _identity(path: Path | None) -> object:
    if path is None:
        return None  # a fetched copy has no name by which anyone could write to it
    try:
        found = path.stat()
    except OSError:
        return "gone"
    return found.st_ino, found.st_size, found.st_mtime_ns


def _sha256(stream: IO[bytes]) -> str:
    digest = hashlib.sha256()
    stream.seek(0)
    while chunk := stream.read(CHUNK):
        digest.update(chunk)
    return digest.hexdigest()
