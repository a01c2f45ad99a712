"""The `calibration` section of params.yaml."""

from typing import Annotated

from pydantic import Field

from goodfit.registry import Section
from goodfit.thresholds import THRESHOLDS


class CalibrationSection(Section):
    """How scores become answers; everything here is fitted on valid rows, and an edit does not train again.

    Options:
        temperature: divide the logits of a classification by one number, so that its probabilities mean what they say.
        threshold: from which probability of the second class on it is predicted; binary targets only.
        coverage: share of the rows whose value a prediction interval shall hold; null for none; regression only.
        bins: kinds of rows, by their prediction, that get interval widths of their own, as far as there are rows.
    """

    temperature: bool = True
    threshold: THRESHOLDS.section() = THRESHOLDS["fixed"].options()  # type: ignore[valid-type]
    coverage: Annotated[float, Field(ge=0.5, lt=1)] | None = 0.9
    bins: Annotated[int, Field(ge=1, le=100)] = 10
