import numpy as np
import pandas as pd
import pytest

from goodfit.data import SchemaSection, Table, infer_schema


@pytest.fixture
def mixed():
    """300 rows with a column of every type, with gaps, and a numeric target."""
    rng = np.random.default_rng(0)
    n = 300
    return pd.DataFrame(
        {
            "amount": np.where(rng.random(n) < 0.1, np.nan, rng.lognormal(size=n)),
            "count": pd.array(rng.integers(0, 5, n), dtype="Int64"),
            "flag": pd.array(np.where(rng.random(n) < 0.1, None, rng.random(n) < 0.5), dtype="boolean"),
            "when": pd.Timestamp("2021-02-27") + pd.to_timedelta(rng.integers(0, 3 * 365 * 24, n), unit="h"),
            "city": np.where(rng.random(n) < 0.1, None, rng.choice(["Bern", "Köln", "Łódź", "東京"], n)),
            "code": pd.Categorical.from_codes(rng.integers(0, 30, n), categories=[f"c{i}" for i in range(30)]),
            "price": rng.normal(100, 20, n),
        }
    )


@pytest.fixture
def table_of():
    def make(frame, target="price", **options):
        return Table(frame, infer_schema(frame, SchemaSection(target=target, **options)))

    return make
