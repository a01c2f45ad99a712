"""What DVC keeps: dvc.lock, the locks on paths, and the cache, which it hands out without looking at it again."""

import json
import shutil
from collections.abc import Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import psutil

from goodfit.doctor.finding import Finding
from goodfit.errors import ConfigurationError
from goodfit.files import digest_of_file, remove
from goodfit.params import read_yaml
from goodfit.stage.protocol import LOCK_COPY

CACHE = Path(".dvc/cache/files/md5")
PATH_LOCKS = Path(".dvc/tmp/rwlock")


def examine_lock_file(root: Path) -> Iterator[Finding]:
    """Look whether dvc.lock can be read; DVC writes it in place, so a kill can leave half of it."""
    lock, copy = root / "dvc.lock", root / LOCK_COPY
    if not lock.exists():
        yield Finding("dvc.lock", True, "not written yet")
        return
    try:
        stages = read_yaml(lock).get("stages", {})
        yield Finding("dvc.lock", True, f"{len(stages)} stages")
    except ConfigurationError as error:
        if copy.exists():
            yield Finding(
                "dvc.lock", False, f"{error} The last good copy is put back.", lambda: shutil.copyfile(copy, lock)
            )
        else:
            yield Finding("dvc.lock", False, f"{error} It is removed: the stages run again.", lambda: remove(lock))


def examine_path_locks(root: Path) -> Iterator[Finding]:
    """Look for locks on paths that no live DVC holds: DVC trusts a bare process id, and a torn file stops it."""
    path = root / PATH_LOCKS
    try:
        locks = json.loads(path.read_text()) if path.exists() and path.stat().st_size else {}
        holders = [pid for pid in _holders(locks) if psutil.pid_exists(pid)]  # DVC itself frees what the dead held
    except (ValueError, AttributeError, TypeError, KeyError):
        yield Finding("DVC path locks", False, f"{PATH_LOCKS} is damaged and is removed", lambda: remove(path))
        return
    stale = [pid for pid in holders if not _is_dvc(pid)]
    if stale:
        pids = ", ".join(map(str, sorted(set(stale))))
        yield Finding(
            "DVC path locks", False, f"held by process {pids}, which is no DVC; removed", lambda: remove(path)
        )
    else:
        yield Finding("DVC path locks", True, "held by a live DVC" if holders else "free")


def _holders(locks: dict[str, Any]) -> Iterator[int]:
    """Return the process ids in DVC's file of locks: by path, one that writes and any number that read."""
    if unknown := locks.keys() - {"write", "read"}:
        raise ValueError(f"DVC knows no lock to {unknown}")
    writing, reading = locks.get("write", {}), locks.get("read", {})
    yield from (int(holder["pid"]) for holder in [*writing.values(), *chain.from_iterable(reading.values())])


def _is_dvc(pid: int) -> bool:
    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and any("dvc" in part for part in process.cmdline())
    except psutil.Error:
        return False


def examine_cache(root: Path) -> Iterator[Finding]:
    """Hash every cached object that dvc.lock names again; one that is damaged or cannot be read is removed.

    Its copy in the workspace goes with it, because it may be the same file.
    """
    damaged = [(path, cached, fault) for path, cached in _cached_objects(root) if (fault := _fault(cached))]
    for path, cached, fault in damaged:
        detail = f"{path}: its cached copy {cached.name[:8]}… {fault}; removed, so that dvc repro makes it again"
        yield Finding("DVC cache", False, detail, partial(_drop, root / path, cached))
    if not damaged:
        yield Finding("DVC cache", True, "every object matches its md5")


def _cached_objects(root: Path) -> Iterator[tuple[str, Path]]:
    try:
        stages = read_yaml(root / "dvc.lock").get("stages", {})
    except ConfigurationError:
        return
    for stage in stages.values():
        for out in stage.get("outs", []):
            cached = _object(root, out["md5"])
            if cached.exists():
                yield out["path"], cached
                yield from _members(root, out["path"], cached)


def _members(root: Path, path: str, listing: Path) -> Iterator[tuple[str, Path]]:
    if listing.suffix != ".dir" or _fault(listing):
        return
    for entry in json.loads(listing.read_text()):
        cached = _object(root, entry["md5"])
        if cached.exists():
            yield f"{path}/{entry['relpath']}", cached


def _object(root: Path, md5: str) -> Path:
    return root / CACHE / md5[:2] / md5[2:]


def _fault(cached: Path) -> str:
    """Return what is wrong with a cached object, or nothing."""
    try:
        digest = digest_of_file(cached)
    except PermissionError:
        return "cannot be read"
    return "" if digest == cached.parent.name + cached.name.removesuffix(".dir") else "is damaged"


def _drop(path: Path, cached: Path) -> None:
    remove(cached)
    remove(path)
