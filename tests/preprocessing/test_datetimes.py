"""Dates: rows that share a day or an hour share the work, and nothing of it shows in the numbers."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goodfit.preprocessing import datetimes
from goodfit.preprocessing.datetimes import CYCLES, Datetime
from goodfit.preprocessing.encoders import Measure
from goodfit.preprocessing.scaling import Affine

PLAIN = Measure(2020.0, Affine(0.0, 4000.0, 0.0, 1.0, 0.0))
COLUMN = Datetime("when", "2020-01-01T00:00:00", {"year": PLAIN, "elapsed": PLAIN}, tuple(CYCLES), indicator=True)
UNITS = ("s", "ms", "us", "ns")


def written(times: pd.Series) -> np.ndarray:
    out = np.empty((len(times), len(COLUMN.names)), np.float32)
    COLUMN.write(times, out)
    return out


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.one_of(st.none(), st.datetimes(pd.Timestamp("1950-01-01"), pd.Timestamp("2100-01-01"))), max_size=30),
    st.sampled_from(UNITS),
    st.integers(1, 60),
)
def test_shared_days_and_single_rows_agree_to_the_bit(moments: list, unit: str, days: int) -> None:
    times = pd.Series(pd.to_datetime(pd.Series([*moments, None, "1960-02-29 23:59:59"], dtype=object)))
    times = times.astype(f"datetime64[{unit}]")
    close = pd.Timestamp("1969-12-20") + (times - pd.Timestamp("1950-01-01")) % pd.Timedelta(days=days)
    for series in (times, pd.concat([close.astype(times.dtype)] * 60, ignore_index=True)):
        together = written(series)
        alone = np.concatenate([written(series.iloc[[row]]) for row in range(min(len(series), 32))])
        assert together[: len(alone)].tobytes() == alone.tobytes()


def test_a_day_is_worked_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, int]] = []
    read = datetimes.read_part
    monkeypatch.setattr(
        datetimes, "read_part", lambda times, part, start: asked.append((part, len(times))) or read(times, part, start)
    )
    times = pd.Series(pd.Timestamp("2021-02-27") + pd.to_timedelta(np.arange(5000) % 100, unit="h"))
    written(times)
    assert dict(asked) == {"year": 6, "elapsed": 5000, "month": 6, "day_of_week": 6, "hour": 101}
