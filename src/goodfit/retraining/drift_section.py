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
        joint: area under the ROC curve from which on it matters that a classifier tells new rows from known ones by how
            their columns hang together. null switches this off.
        served: rows that `goodfit serve` has recorded are examined too, and what the champion said of them.
        min_rows: fewest new rows; below, nothing is tested.
    """

    significance: Annotated[float, Field(gt=0, le=0.2)] = 0.01
    stability: Annotated[float, Field(gt=0)] = 0.1
    missing: Annotated[float, Field(gt=0, le=1)] = 0.05
    joint: Annotated[float, Field(gt=0.5, le=1)] | None = 0.55
    served: bool = True
    min_rows: Annotated[int, Field(ge=20)] = 100
