import pandas as pd
import pytest

from goodfit.data import SchemaSection, conform, infer_schema
from goodfit.errors import ConfigurationError, DataError


def test_a_frame_that_needs_nothing_is_returned_as_it_is() -> None:
    frame = pd.DataFrame({"a": [1], "y": [2]})
    assert conform(frame, SchemaSection(target="y", types={"a": "numeric"})) is frame


def test_a_numeric_target_becomes_two_classes_and_gaps_stay_gaps() -> None:
    frame = pd.DataFrame({"a": [1.0, 2, 3], "delay": [15.0, 15.5, None]})
    section = SchemaSection(target="delay", above=15)
    result = conform(frame, section)
    assert result["delay"].tolist() == [False, True, pd.NA]
    schema = infer_schema(result, section)
    assert (schema.task, schema.classes) == ("binary", ("False", "True"))
    assert frame["delay"].tolist()[1] == 15.5


def test_above_needs_a_numeric_target() -> None:
    with pytest.raises(ConfigurationError, match="schema.above: needs a numeric target, and 'y' is categorical"):
        conform(pd.DataFrame({"a": [1], "y": ["x"]}), SchemaSection(target="y", above=1))


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        (["1", "2.5", None], "numeric", "float64"),
        (["2024-01-31", None], "datetime", "datetime64"),
        (["2013-01-01T10:00:00Z", "2013-01-01T11:00:00Z"], "datetime", "datetime64"),
        ([0, 1, 1], "boolean", "boolean"),
        (["yes", "No", None], "boolean", "boolean"),
        ([60437, 10115], "categorical", "str"),
    ],
)
def test_overridden_types_are_converted(values: list[object], kind: str, expected: str) -> None:
    frame = pd.DataFrame({"a": values, "y": range(len(values))})
    result = conform(frame, SchemaSection(target="y", types={"a": kind}))  # type: ignore[dict-item]
    assert str(result["a"].dtype).startswith(expected)
    assert result["a"].isna().tolist() == frame["a"].isna().tolist()


@pytest.mark.parametrize(
    ("values", "kind"),
    [(["1", "x"], "numeric"), (["2024-01-31", "31.1."], "datetime"), ([1, 2], "boolean"), ([20240131, 1], "datetime")],
)
def test_a_value_that_does_not_fit_is_named(values: list[object], kind: str) -> None:
    frame = pd.DataFrame({"a": values, "y": range(len(values))})
    with pytest.raises(DataError, match=rf"column 'a': row \d is no {kind} value"):
        conform(frame, SchemaSection(target="y", types={"a": kind}))  # type: ignore[dict-item]
