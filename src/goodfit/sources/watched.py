"""Say when DVC cannot notice that a source has changed."""

from pathlib import Path

from goodfit.errors import GoodfitError
from goodfit.sources.files import local_path
from goodfit.sources.remote import is_remote
from goodfit.stage import say
from goodfit.stage.graph import read_entry

DEFAULT = ("input/",)
AGAIN = "after a change there, run: dvc repro --force ingest"


def note_if_unwatched(path: str) -> None:
    """Say that a change will go unnoticed, unless the path lies below a dependency of the ingest stage."""
    if is_remote(path):
        say(f"{path.split('?')[0]}: DVC cannot see changes in a remote store; {AGAIN}.")
        return
    place, watched = local_path(path).absolute(), _dependencies()
    if not any(place.is_relative_to(Path(folder).absolute()) for folder in watched):
        listed = ", ".join(watched)
        say(f"{path}: lies outside of what DVC watches for ingest ({listed}); move it to input/, or {AGAIN}.")


def _dependencies() -> tuple[str, ...]:
    try:
        return tuple(read_entry(Path.cwd(), "ingest").inputs) or DEFAULT
    except (GoodfitError, KeyError, AttributeError, TypeError):
        return DEFAULT  # no graph here, or a broken one, of which the stage's wrapper speaks
