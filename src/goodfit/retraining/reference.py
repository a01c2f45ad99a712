"""What is kept with every registered version, so that a later retrain can judge it: known rows, profile, scores."""

from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd
import pyarrow as pa

from goodfit.bundle import Bundle
from goodfit.data import Table, read_table, write_table
from goodfit.errors import DataError, Fault
from goodfit.files import read_json, write_json
from goodfit.retraining.bits import bits_of
from goodfit.retraining.golden import ANSWERS, REMEDY, ROWS
from goodfit.retraining.known_rows import KnownRows
from goodfit.retraining.profile import Profile, answers_of, profile_of

GOLDEN_ROWS = 64
KNOWN, PROFILE, SCORES = "rows.parquet", "profile.json", "scores.json"
T = TypeVar("T")


class Reference:
    """What was kept with a version, read when it is asked for, as untrusted data.

    Args:
        folder: where it was copied to.
        name: of the version, for messages.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name

    @cached_property
    def known(self) -> KnownRows:
        """The rows of then."""
        return self._read(KNOWN, KnownRows.read)

    @cached_property
    def profile(self) -> Profile:
        """What the rows that were trained on looked like."""
        return self._read(PROFILE, lambda path: Profile.from_dict(read_json(path)))

    @cached_property
    def scores(self) -> dict[str, tuple[float, float, float]]:
        """Metric to value, low and high on the test rows of then; without those that were undefined."""
        return self._read(SCORES, _scores)

    def _read(self, name: str, read: Callable[[Path], T]) -> T:
        try:
            return read(self.folder / name)
        except (OSError, ValueError, TypeError, KeyError, AttributeError, pa.ArrowException) as error:
            rule = f"what was kept with it cannot be read: {name}: {type(error).__name__}: {error}"
            raise DataError([Fault(self.name, rule, None, REMEDY)]) from error


def write_reference(
    folder: Path, bundle: Bundle, tables: Mapping[str, Table], known: KnownRows, metrics: Mapping[str, Any]
) -> None:
    """Write what is to be kept with a version.

    Args:
        folder: to be written into.
        bundle: the model.
        tables: train and test.
        known: its rows.
        metrics: the content of metrics.json.
    """
    known.write(folder / KNOWN)
    test = tables["test"]
    answers = answers_of(bundle.predict(test.frame))
    write_json(folder / PROFILE, profile_of(tables["train"], answers).to_dict())
    write_json(folder / SCORES, metrics.get("test", {}))
    rows = Table(test.frame[[column.name for column in test.schema.features]].head(GOLDEN_ROWS), test.schema)
    write_table(folder / ROWS, rows)
    write_json(folder / ANSWERS, bits_of(bundle.predict(read_table(folder / ROWS).frame)))


def answered(bundle: Bundle, frame: pd.DataFrame) -> pd.Series | None:
    """Return what a model says of rows, as it is profiled; None where it cannot answer."""
    try:
        return answers_of(bundle.predict(frame))
    except DataError:
        return None


def _scores(path: Path) -> dict[str, tuple[float, float, float]]:
    tree = read_json(path)
    whole = {name: tuple(figures.get(end) for end in ("value", "low", "high")) for name, figures in tree.items()}
    return {name: (float(v), float(lo), float(hi)) for name, (v, lo, hi) in whole.items() if None not in (v, lo, hi)}
