"""The best settings that a search found."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from goodfit.errors import DataError, Fault
from goodfit.files import read_json


@dataclass(frozen=True)
class Leader:
    """One trial of a search.

    Args:
        trial: its number.
        value: its objective.
        overrides: what it set, by dotted option.
        eligible: whether it could have been chosen: completed and, of two objectives, close enough to the best.
    """

    trial: int
    value: float
    overrides: Mapping[str, Any]
    eligible: bool = True


def read_leaders(path: Path) -> list[Leader]:
    """Return the best trials from the file that `tune` writes, the chosen one first; none without a search.

    Raises:
        DataError: the file is not there, or not what `tune` writes.
    """
    try:
        found = read_json(path)["leaders"]
        return [
            Leader(int(one["trial"]), float(one["value"]), dict(one["overrides"]), bool(one["eligible"]))
            for one in found
        ]
    except (OSError, KeyError, TypeError, ValueError) as error:
        remedy = "Run dvc repro --force tune."
        raise DataError([Fault(str(path), "does not hold what a search writes", str(error), remedy)]) from error
