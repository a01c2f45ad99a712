"""Where the record of what was served lies; asking whether it has grown imports nothing slow."""

from pathlib import Path

from goodfit.files import digest_of_value

FOLDER = Path(".goodfit/predictions")


def parts_in(folder: Path) -> list[Path]:
    """Return the parts, the oldest first."""
    return sorted(folder.glob("*.jsonl"))


def state_of(folder: Path) -> str:
    """Return what changes when the record does: names and sizes of its parts; "" where there is none."""
    parts = [[part.name, part.stat().st_size] for part in parts_in(folder)]
    return digest_of_value(parts) if parts else ""
