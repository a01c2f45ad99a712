"""The golden batch of a version: some raw test rows, and what the model said of them when it was judged.

A version that says otherwise is not the one that was judged. Answers are kept to the bit.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from goodfit.errors import DataError, Fault
from goodfit.retraining.bits import read_answers
from goodfit.tracking import ModelRegistry, Version

ROWS, ANSWERS = "golden.parquet", "answers.json"
REMEDY = "Choose another champion: goodfit rollback VERSION."


@dataclass(frozen=True)
class Golden:
    """Raw rows and the answers to them.

    Args:
        name: of the version, for messages.
        path: Parquet of the rows.
        answers: float64 [n] or [n, classes].
    """

    name: str
    path: Path
    answers: NDArray[np.float64]


def evidence_of(registry: ModelRegistry, version: Version, folder: Path) -> Path:
    """Copy what was kept with a version into `folder`; return where it lies.

    Raises:
        DataError: nothing was kept, so it can be neither verified nor compared.
    """
    found = registry.versions.evidence(version.run_id, folder) if version.run_id else None
    if found is None:
        rule = "goodfit has kept nothing with it: what it was trained on and what it answers are not known"
        raise DataError([Fault(name_of(registry, version), rule, None, REMEDY)])
    return found


def name_of(registry: ModelRegistry, version: Version) -> str:
    """Return how messages call a version."""
    return f"version {version.number} of model '{registry.model}'"


def golden_of(evidence: Path, name: str) -> Golden:
    """Return the golden batch in a folder of evidence.

    Raises:
        DataError: it is not there, or damaged.
    """
    try:
        return Golden(name, evidence / ROWS, read_answers(evidence / ANSWERS))
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        rule = f"its golden batch cannot be read: {type(error).__name__}: {error}"
        raise DataError([Fault(name, rule, None, REMEDY)]) from error
