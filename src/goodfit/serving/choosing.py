"""Which model answers: the champion, a registered version, or the bundle in a folder."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from goodfit.bundle import Bundle, load_bundle
from goodfit.errors import ConfigurationError, Fault
from goodfit.tracking import CHAMPION, ModelRegistry, TrackingSection, address, model_registry, parse_number
from goodfit.tracking.section import sqlite_path

CANDIDATE = Path("models/candidate")
WAYS = "Give 'champion', 'candidate', the number of a version, or the folder of a bundle."


@dataclass(frozen=True)
class Chosen:
    """A model that is loaded, once; it never changes.

    Args:
        name: how messages and answers call it.
        version: its number in the registry, None for a bundle that lies in a folder.
        bundle: the model.
    """

    name: str
    version: int | None
    bundle: Bundle


def choose(wanted: str | None, root: Path, read_section: Callable[[], TrackingSection], scratch: Path) -> Chosen:
    """Load the model that is asked for.

    Args:
        wanted: champion, candidate, a version's number or a bundle's folder; None for the champion, and where there is
            none yet, for the candidate in the workspace.
        root: the workspace.
        read_section: reads the `tracking` section, which a bundle in a folder does not need.
        scratch: a folder for downloads.

    Raises:
        ConfigurationError: there is no such version, or no champion, or nothing at all.
        DataError: the bundle is damaged, or made to harm.
        ServiceError: the tracking store does not answer.
    """
    if wanted == "candidate":
        return of_folder(root / CANDIDATE, str(CANDIDATE))
    if wanted is not None and wanted != CHAMPION and not wanted.isdigit():
        return of_folder(root / wanted, wanted)
    section = read_section()
    if wanted is None and not _has_store(section, root):
        return of_folder(root / CANDIDATE, str(CANDIDATE))
    with model_registry(section, root) as registry:
        champion = registry.versions.aliases().get(CHAMPION)
        number = champion if wanted in (None, CHAMPION) else parse_number(str(wanted))
        if number is not None:
            return of_version(registry, number, scratch)
        if wanted is None:
            return of_folder(root / CANDIDATE, str(CANDIDATE))
    remedy = "Let one be found: goodfit retrain. Or name another model: --model candidate."
    raise ConfigurationError([Fault(f"model '{section.model_name}'", "has no champion yet", None, remedy)])


def of_folder(folder: Path, name: str) -> Chosen:
    """Load the bundle in a folder.

    Raises:
        ConfigurationError: there is no such folder.
        DataError: it must not be used.
    """
    if not folder.exists():
        remedy = f"Train one: make repro. {WAYS}"
        raise ConfigurationError([Fault("--model", "there is no such folder", name, remedy)])
    return Chosen(name, None, load_bundle(folder))


def of_version(registry: ModelRegistry, number: int, scratch: Path) -> Chosen:
    """Download a registered version and load it.

    Raises:
        ConfigurationError: there is no such version.
        DataError: it must not be used.
    """
    if registry.versions.get(number) is None:
        rule, remedy = "is no version of the model", "goodfit history lists them."
        raise ConfigurationError([Fault(f"version of '{registry.model}'", rule, number, remedy)])
    folder = registry.versions.download(number, scratch / f"version-{number}")
    return Chosen(f"{registry.model} version {number}", number, load_bundle(folder))


def _has_store(section: TrackingSection, root: Path) -> bool:
    """Tell whether there can be a champion: looking for one must not make a tracking database."""
    path = sqlite_path(address(section, root))
    return path is None or path.exists()
