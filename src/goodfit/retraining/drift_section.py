"""The `retrain.drift` section of params.yaml."""

from typing import Annotated

from pydantic import Field

from goodfit.registry import Section


class DriftSection(Section):
    """When new rows count as different from those that the champion was trained on.

    Options:
        significance: chance of a false alarm, over all columns together.
        stability: population stability index from which on a change of a column's values matters.
        missing: change of the share of missing values that matters.
        min_rows: fewest new rows; below, nothing is tested.
    """

    significance: Annotated[float, Field(gt=0, le=0.2)] = 0.01
    stability: Annotated[float, Field(gt=0)] = 0.1
    missing: Annotated[float, Field(gt=0, le=1)] = 0.05
    min_rows: Annotated[int, Field(ge=20)] = 100
