"""The chosen model: its settings, as `run.json` has them, and the rows that it was trained and chosen on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from goodfit.data import Table
from goodfit.errors import DataError, Fault
from goodfit.params import check, overlay
from goodfit.training import FitSections, Recipe

PLACE = "run.json"


@dataclass(frozen=True)
class Chosen:
    """What is trained again.

    Args:
        sections: the resolved settings, what the search found included.
        train, valid: raw rows; the test rows have no part in a study.
    """

    sections: FitSections
    train: Table
    valid: Table

    @property
    def recipe(self) -> Recipe:
        """The recipe of the chosen model."""
        return self.sections.recipe(self.train.schema)


def chosen_model(record: Mapping[str, Any] | None, train: Table, valid: Table) -> Chosen:
    """Return the model that a run record describes.

    Args:
        record: the content of run.json.
        train, valid: raw rows.

    Raises:
        DataError: there is no record, or its settings cannot be used.
    """
    if record is None:
        raise DataError([Fault(PLACE, "is not there, or cannot be used", None, "Run the pipeline first: make repro.")])
    wanted = {path: value for path, value in record["params"].items() if path.split(".")[0] in FitSections.model_fields}
    return Chosen(check(overlay({}, wanted), FitSections, PLACE), train, valid)
