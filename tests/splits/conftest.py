from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from goodfit.data import SchemaSection, Table, infer_schema
from goodfit.params import check
from goodfit.registry import Section
from goodfit.splits import SplitSection


class Holder(Section):
    split: SplitSection


@pytest.fixture(scope="session")
def section() -> Callable[..., Any]:
    def read(kind: str, **options: Any) -> Any:
        return check({"split": {"kind": kind, **options}}, Holder, "params.yaml").split

    return read


@pytest.fixture(scope="session")
def table() -> Callable[..., Table]:
    def build(frame: pd.DataFrame, **schema: Any) -> Table:
        wanted = SchemaSection.model_validate({"target": "y", **schema})
        return Table(frame, infer_schema(frame, wanted))

    return build


@pytest.fixture
def rows() -> pd.DataFrame:
    """600 rows: an id, a group, a time, two features and a target with a rare class."""
    generator = np.random.default_rng(3)
    number = 600
    return pd.DataFrame(
        {
            "key": np.arange(number) + 1000,
            "who": generator.integers(0, 90, number),
            "when": pd.Timestamp("2024-01-01") + pd.to_timedelta(generator.integers(0, 400, number), unit="D"),
            "size": generator.normal(size=number),
            "color": generator.choice(["red", "green", "blue"], number),
            "y": generator.choice(["no", "yes", "maybe"], number, p=[0.6, 0.35, 0.05]),
        }
    )
