"""The `evaluate.bootstrap` section of params.yaml."""

from typing import Annotated

from pydantic import Field

from goodfit.registry import Section


class BootstrapSection(Section):
    """How intervals are made.

    Options:
        resamples: how many times the rows of a split are drawn anew.
        level: the share of the resamples that an interval holds.
    """

    resamples: Annotated[int, Field(ge=100, le=100_000)] = 1000
    level: Annotated[float, Field(ge=0.5, lt=1)] = 0.95
