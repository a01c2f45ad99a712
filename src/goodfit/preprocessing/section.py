"""What params.yaml may say about preprocessing."""

from typing import Annotated, Literal

from pydantic import Field

from goodfit.registry import Section

ScalingName = Literal["quantile", "robust", "standard", "none"]


class PreprocessingSection(Section):
    """How raw columns become numbers. Every statistic is taken from the training rows alone.

    Options:
        scaling: quantile (to a normal distribution), robust (median, quartiles), standard (mean, deviation) or none.
        quantiles: most knots of a quantile map; fewer are used on fewer than 30 rows a knot.
        missing_indicators: whether a column with gaps in the training rows adds a column that says where they are.
        max_levels: most levels of a categorical column; the rarest others are read as unknown.
        min_level_rows: levels on fewer training rows are read as unknown, so that the model learns what to make of it.
        cyclic_dates: month, day of week and hour as sine and cosine, so that December lies beside January.
    """

    scaling: ScalingName = "quantile"
    quantiles: Annotated[int, Field(ge=2, le=100_000)] = 1000
    missing_indicators: bool = True
    max_levels: Annotated[int, Field(ge=1, le=1_000_000)] = 1000
    min_level_rows: Annotated[int, Field(ge=1)] = 1
    cyclic_dates: bool = True
