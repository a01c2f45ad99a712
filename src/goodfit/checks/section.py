"""The `validate` section of params.yaml."""

from typing import Annotated, Literal

from pydantic import Field

from goodfit.params import InsidePath
from goodfit.registry import Section


class ValidateSection(Section):
    """How strictly the raw table is checked before anything is learnt from it.

    Options:
        suite: the expectation suite, a YAML file inside the project.
        on_failure: stop ends the graph on a critical failure; quarantine sets the offending rows aside and goes on.
        max_quarantine: the share of rows, 0 to 1, above which quarantine stops the graph as well.
    """

    suite: Annotated[InsidePath, Field(min_length=1)]
    on_failure: Literal["stop", "quarantine"] = "stop"
    max_quarantine: Annotated[float, Field(ge=0, le=1)] = 0.01
