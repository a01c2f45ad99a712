from typing import Any

import numpy as np
import pandas as pd
import pytest

from goodfit.data import Schema, SchemaSection, infer_schema
from goodfit.errors import ConfigurationError, DataError

ROWS = 60


@pytest.fixture
def frame() -> pd.DataFrame:
    number = np.arange(ROWS)
    return pd.DataFrame(
        {
            "key": number + 500,
            "whole": pd.Series(number % 7).astype("Int64").where(number % 5 > 0),
            "real": number * 0.5,
            "flag": number % 2 == 0,
            "maybe": pd.Series(number % 2 == 0, dtype="boolean").where(number % 3 > 0),
            "text": np.array(["a", "b", "c"])[number % 3],
            "label": pd.Categorical(np.array(["x", "y"])[number % 2]),
            "moment": pd.Timestamp("2024-01-01") + pd.to_timedelta(number, unit="h"),
            "day": (pd.Timestamp("2024-01-01") + pd.to_timedelta(number, unit="D")).astype("M8[ms]"),
            "y": np.array(["no", "yes"])[number % 2],
        }
    )


def infer(frame: pd.DataFrame, **section: Any) -> Schema:
    return infer_schema(frame, SchemaSection.model_validate({"target": "y", **section}))


def test_types_are_seen_in_the_values(frame: pd.DataFrame) -> None:
    types = {column.name: column.type for column in infer(frame).columns}
    assert types == {
        "key": "numeric",
        "whole": "numeric",
        "real": "numeric",
        "flag": "boolean",
        "maybe": "boolean",
        "text": "categorical",
        "label": "categorical",
        "moment": "datetime",
        "day": "datetime",
        "y": "categorical",
    }


def test_types_and_roles_can_be_set(frame: pd.DataFrame) -> None:
    schema = infer(frame, types={"whole": "categorical"}, id=["key"], ignore=["flag"], group="text", time="day")
    assert next(column.type for column in schema.columns if column.name == "whole") == "categorical"
    roles = {role: schema.names(role) for role in ("id", "ignore", "group", "time", "target")}
    assert roles == {"id": ["key"], "ignore": ["flag"], "group": ["text"], "time": ["day"], "target": ["y"]}
    assert [column.name for column in schema.features] == ["whole", "real", "maybe", "label", "moment"]


def test_a_schema_survives_json(frame: pd.DataFrame) -> None:
    schema = infer(frame, id=["key"])
    assert Schema.from_dict(schema.to_dict()) == schema
    assert schema.target.name == "y"


TASKS = {
    "two texts": (["a", "b"] * 30, "binary", ("a", "b")),
    "three texts": (["a", "b", "c"] * 20, "multiclass", ("a", "b", "c")),
    "truth values": ([True, False] * 30, "binary", ("False", "True")),
    "few whole numbers": ([2, 10, 1] * 20, "multiclass", ("1", "2", "10")),
    "many whole numbers": (list(range(ROWS)), "regression", ()),
    "fractions": (np.linspace(0, 1, ROWS), "regression", ()),
    "whole numbers with gaps": (pd.Series([1, None] * 15 + [0] * 30, dtype="Int64"), "binary", ("0", "1")),
    "categories": (pd.Categorical(["b", "a"] * 30), "binary", ("a", "b")),
}


@pytest.mark.parametrize("case", TASKS)
def test_the_task_follows_from_the_target(case: str, frame: pd.DataFrame) -> None:
    values, task, classes = TASKS[case]
    schema = infer(frame.assign(y=values))
    assert (schema.task, schema.classes) == (task, classes)


def test_the_task_can_be_set(frame: pd.DataFrame) -> None:
    assert infer(frame.assign(y=[1, 2, 3] * 20), task="regression").task == "regression"
    assert infer(frame, task="multiclass").task == "multiclass"


@pytest.mark.parametrize(
    ("change", "section", "says"),
    [
        ({}, {"task": "regression"}, "regression needs a numeric target, and 'y' is categorical"),
        ({"y": [1, 2, 3] * 20}, {"task": "binary"}, "binary needs 2 classes, and 'y' has 3"),
        ({"y": np.linspace(0, 1, ROWS)}, {"task": "multiclass"}, "'y' holds fractions, which are no classes"),
        ({"y": pd.date_range("2024", periods=ROWS)}, {}, "schema.target: 'y' holds moments"),
        ({"y": [f"text {i}" for i in range(ROWS)]}, {}, "'y' holds 60 different texts in 60 rows"),
        ({}, {"target": "lable"}, "schema.target: the data have no column 'lable'. Did you mean 'label'"),
        ({}, {"types": {"txet": "numeric"}}, r"schema.types.txet: the data have no column 'txet'. Did you mean 'text'"),
        ({}, {"id": ["text"], "group": "text"}, "schema.group: 'text' already is 'id'"),
        ({}, {"ignore": ["y"]}, "schema.ignore: 'y' already is 'target'"),
    ],
)
def test_a_schema_that_does_not_fit_is_refused(
    change: dict[str, Any], section: dict[str, Any], says: str, frame: pd.DataFrame
) -> None:
    with pytest.raises(ConfigurationError, match=says):
        infer(frame.assign(**change), **section)


def test_names_that_do_not_fit_are_told_all_at_once(frame: pd.DataFrame) -> None:
    with pytest.raises(ConfigurationError) as caught:
        infer(frame, id=["kye"], group="grup", types={"z": "numeric"})
    assert len(caught.value.faults) == 3


def test_no_feature_is_refused(frame: pd.DataFrame) -> None:
    with pytest.raises(ConfigurationError, match="leaves no feature column"):
        infer(frame[["key", "y"]], id=["key"])


@pytest.mark.parametrize(
    ("values", "says"), [([None] * ROWS, "has no value at all"), (["a"] * ROWS, "holds a single class")]
)
def test_a_target_with_nothing_to_learn_is_refused(values: Any, says: str, frame: pd.DataFrame) -> None:
    with pytest.raises(DataError, match=says):
        infer(frame.assign(y=pd.Series(values, dtype="str")))
