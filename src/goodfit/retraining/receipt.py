"""What the last retrain in this workspace came to, so that the next one can say at once that nothing is new."""

from dataclasses import asdict, dataclass
from pathlib import Path

from goodfit.files import digest_of_file, digest_of_value, read_json, remove, write_json

PATH = Path(".goodfit/retrain.json")
DETERMINING = ("params.yaml", "dvc.yaml", "run.json")


@dataclass(frozen=True)
class Receipt:
    """A finished retrain.

    Args:
        fingerprint: of the source.
        workspace: digest of the settings and of the result that lay there.
        said: what it came to, in words.
        served: state of the record of what was asked over HTTP.
        due: when the answer may be another one although nothing is new, in seconds since the epoch; None for never.
    """

    fingerprint: str
    workspace: str
    said: str
    due: float | None
    served: str = ""


def settings_digest(root: Path) -> str:
    """Return a digest of what decides, beside the data: an edit of the settings is something new."""
    return digest_of_value({name: digest_of_file(root / name) for name in DETERMINING if (root / name).exists()})


def read_receipt(root: Path) -> Receipt | None:
    """Return the receipt, None when there is none that can be read."""
    try:
        return Receipt(**read_json(root / PATH))
    except (OSError, ValueError, TypeError):
        return None


def still_holds(root: Path, fingerprint: str | None, served: str, now: float) -> Receipt | None:
    """Return the receipt if nothing is new since: the same source, settings and served rows, and not due."""
    found = read_receipt(root)
    if found is None or fingerprint is None or (found.fingerprint, found.served) != (fingerprint, served):
        return None
    if found.workspace != settings_digest(root) or (found.due is not None and now >= found.due):
        return None
    return found


def keep_receipt(root: Path, receipt: Receipt) -> None:
    """Write the receipt."""
    write_json(root / PATH, asdict(receipt))


def drop_receipt(root: Path) -> None:
    """Forget it: a retrain has begun, and has not ended."""
    remove(root / PATH)
