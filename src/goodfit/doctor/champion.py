"""The champion: the aliases follow the decisions, and the version that they name answers as when it was judged."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from goodfit.doctor.finding import Finding
from goodfit.errors import GoodfitError, ServiceError
from goodfit.files import digest_of_path
from goodfit.params import load_params
from goodfit.registry import Section
from goodfit.tracking import (
    CHAMPION,
    Decision,
    ModelRegistry,
    TrackingSection,
    Unregistered,
    Version,
    address,
    model_registry,
)
from goodfit.tracking.section import sqlite_path

if TYPE_CHECKING:
    from goodfit.retraining.fresh import FreshProcess

NAME = "champion"
CANDIDATE = Path("models/candidate")


class _Params(Section):
    tracking: TrackingSection


def examine_champion(root: Path) -> Iterator[Finding]:
    """Let a fresh process load exactly what the alias names and answer its golden batch, as before a rollback."""
    try:
        section = load_params(root / "params.yaml", _Params).tracking
        path = sqlite_path(address(section, root))
        if path is not None and not path.exists():
            yield Finding(NAME, True, "there is none yet")
            return
        with model_registry(section, root, make=False) as registry:
            yield from _examined(registry, section, root)
    except Unregistered:
        yield Finding(NAME, True, "there is none yet")
    except ServiceError:
        return  # examine_tracker says so
    except GoodfitError as error:
        yield Finding(NAME, False, str(error))


def _examined(registry: ModelRegistry, section: TrackingSection, root: Path) -> Iterator[Finding]:
    from goodfit.retraining.fresh import FreshProcess

    head, alias = registry.succession.head(), registry.versions.aliases().get(CHAMPION)
    if head is not None and (alias is None or registry.succession.open(head)):
        detail = f"the aliases do not follow decision {head.number}, by which version {head.version} is champion yet"
        yield Finding(NAME, False, f"{detail}; written now", lambda: _settle(section, root))
        return
    if alias is None:
        yield Finding(NAME, True, "there is none yet")
        return
    version = registry.versions.get(alias)
    if version is None:
        rule = f"the alias names version {alias}, which was deleted"
        yield Finding(NAME, False, f"{rule}. Choose another: goodfit rollback VERSION.")
        return
    with FreshProcess() as process:
        yield _verified(registry, version, section, root, process, _words(head, alias))


def _verified(
    registry: ModelRegistry, version: Version, section: TrackingSection, root: Path, process: "FreshProcess", words: str
) -> Finding:
    from goodfit.retraining.golden import evidence_of, golden_of, name_of
    from goodfit.retraining.verification import verify

    try:
        with tempfile.TemporaryDirectory() as folder:
            golden = golden_of(evidence_of(registry, version, Path(folder) / "kept"), name_of(registry, version))
            verify(registry, version, golden, Path(folder) / "registered", process, exact=False)
    except GoodfitError as error:
        if _same_bundle(root, version):
            detail = f"{error} The same model lies in {CANDIDATE}; stored with the version again"
            return Finding(NAME, False, detail, lambda: _restore(section, root, version.number))
        return Finding(NAME, False, f"{error} Or choose another: goodfit rollback.")
    return Finding(NAME, True, words)


def _words(head: Decision | None, alias: int) -> str:
    found = f"version {alias} loads, and answers as when it was judged"
    if head is not None and head.version == alias:
        return found
    return f"{found}; the alias was moved by hand, which the next retrain writes down"


def _same_bundle(root: Path, version: Version) -> bool:
    folder = root / CANDIDATE
    return folder.is_dir() and digest_of_path(folder) == version.tags.get("goodfit.bundle")


def _settle(section: TrackingSection, root: Path) -> None:
    with model_registry(section, root) as registry:
        registry.succession.settle(again=True)


def _restore(section: TrackingSection, root: Path, number: int) -> None:
    with model_registry(section, root) as registry:
        registry.versions.restore(number, root / CANDIDATE)
