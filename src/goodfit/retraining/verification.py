"""The exact registered artifact, downloaded and loaded in a fresh process, must answer as the model that was judged."""

import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from goodfit.errors import DataError, Fault
from goodfit.retraining.bits import read_answers
from goodfit.retraining.fresh import FreshProcess
from goodfit.retraining.golden import ANSWERS, Golden
from goodfit.tracking import ModelRegistry, Version

TOLERANCE = 1e-5
"""On another kind of machine sums round otherwise; on the same one answers are equal to the bit."""


def verify(
    registry: ModelRegistry, version: Version, golden: Golden, folder: Path, process: FreshProcess, *, exact: bool
) -> Path:
    """Download a version and let a fresh process answer its golden batch.

    Args:
        registry: where it lies.
        version: to be verified.
        golden: what it must answer.
        folder: the download goes there; it is left there.
        process: that answers.
        exact: ask for equal bits, as the machine that trained it can; else for equality within TOLERANCE.

    Returns:
        the folder of the bundle that answered.

    Raises:
        DataError: it cannot be loaded, or answers otherwise.
    """
    bundle = registry.versions.download(version.number, folder)
    with tempfile.TemporaryDirectory() as place:
        out = Path(place) / ANSWERS
        trouble = process.answer(bundle, golden.path, out)
        if trouble:
            raise _refused(golden.name, f"cannot be used by a fresh process: {trouble}")
        answers = read_answers(out)
    if answers.shape != golden.answers.shape or not _equal(answers, golden.answers, exact):
        raise _refused(golden.name, "answers otherwise than the model that was judged")
    return bundle


def _equal(one: NDArray[np.float64], other: NDArray[np.float64], exact: bool) -> bool:
    if exact:
        return one.tobytes() == other.tobytes()
    return bool(np.allclose(one, other, rtol=TOLERANCE, atol=TOLERANCE))


def _refused(name: str, rule: str) -> DataError:
    return DataError([Fault(name, rule, None, "The champion stays. Register it anew: dvc repro --force train.")])
