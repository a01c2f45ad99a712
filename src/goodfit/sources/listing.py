"""Which files a path means: one file, all below a folder, or all that a glob matches; sorted, hidden ones left out."""

from pathlib import Path, PurePath, PurePosixPath
from typing import Any

from goodfit.errors import ConfigurationError, Fault
from goodfit.sources.files import PLACE, local_path
from goodfit.sources.remote import answering, file_system, is_remote


def files_at(path: str, suffixes: tuple[str, ...]) -> list[str]:
    """Return the paths or URLs that a path, folder or glob stands for, sorted.

    Raises:
        ConfigurationError: there is none.
    """
    found = _remote(path, suffixes) if is_remote(path) else _local(path, suffixes)
    if not found:
        remedy = f"Name a file, a folder or a glob that holds files ending in {', '.join(suffixes)}."
        raise ConfigurationError([Fault(PLACE, "no file matches it", path, remedy)])
    return sorted(found)


def _local(path: str, suffixes: tuple[str, ...]) -> list[str]:
    place = local_path(path)
    if place.is_dir():
        return [str(file) for file in place.rglob("*") if file.is_file() and _wanted(file.relative_to(place), suffixes)]
    if _is_glob(path) and not place.exists():
        root = Path(place.anchor)
        pattern = str(place.relative_to(place.anchor)) if place.anchor else str(place)
        return [str(file) for file in root.glob(pattern) if file.is_file() and _wanted(PurePath(file.name), ("",))]
    return [path]


def _remote(path: str, suffixes: tuple[str, ...]) -> list[str]:
    system: Any = file_system(path)
    with answering(path):
        if _is_glob(path) and not path.startswith("http"):
            return [str(system.unstrip_protocol(name)) for name in system.glob(path)]
        if path.lower().endswith(suffixes) or not system.isdir(path):
            return [path]
        inside = str(system._strip_protocol(path)).rstrip("/") + "/"
        names = [name for name in system.find(path) if _wanted(PurePosixPath(name.removeprefix(inside)), suffixes)]
        return [str(system.unstrip_protocol(name)) for name in names]


def _is_glob(path: str) -> bool:
    return any(letter in path for letter in "*?[")


def _wanted(path: PurePath, suffixes: tuple[str, ...]) -> bool:
    return path.name.lower().endswith(suffixes) and not any(part.startswith((".", "_")) for part in path.parts)
