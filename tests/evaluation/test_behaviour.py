"""Behaviour tests: what they count, and that wrong definitions are refused with place, rule and way out."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from goodfit.data import Column, Schema, Table
from goodfit.errors import ConfigurationError
from goodfit.evaluation.behaviour import BehaviourTest, level_faults, schema_faults, tried
from goodfit.evaluation.inspections.behaviour import Behaviour
from goodfit.params import check
from goodfit.preprocessing import PreprocessingSection, fit_preprocessor
from goodfit.registry import Section

KINDS = {"age": "numeric", "colour": "categorical", "paid": "boolean", "since": "datetime", "y": "categorical"}
COLUMNS = tuple(Column(name, kind, "target" if name == "y" else "feature") for name, kind in KINDS.items())  # type: ignore[arg-type]
SCHEMA = Schema(COLUMNS, "binary", ("no", "yes"))
FRAME = pd.DataFrame(
    {
        "age": [20.0, 30.0, np.nan, 50.0],
        "colour": ["red", "blue", "red", None],
        "paid": pd.array([True, False, None, True], dtype="boolean"),
        "since": pd.to_datetime(["2024-01-01", "2024-02-01", None, "2024-01-01"]),
        "y": ["no", "yes", "no", "yes"],
    }
)


class Params(Section):
    """What a definition stands in."""

    behaviour: list[BehaviourTest] = []


def defined(**options: Any) -> Any:
    return check({"behaviour": [options]}, Params, "params.yaml").behaviour[0]


def says(frame: pd.DataFrame) -> np.ndarray:
    """Falls with age from 40 on, rises before; red counts; a gap is 0."""
    age = frame["age"].astype(float).fillna(0).to_numpy()
    positive = 0.2 + np.where(age < 40, age, 80 - age) / 100 + 0.2 * (frame["colour"] == "red").to_numpy()
    return np.stack([1 - positive, positive], axis=1)


def decide(said: np.ndarray) -> np.ndarray:
    return (said[:, 1] >= 0.5).astype(np.int64)


def outcome(**options: Any) -> Any:
    return tried(defined(**options), FRAME, SCHEMA, says, decide)


def test_an_invariance_counts_rows_that_move() -> None:
    found = outcome(kind="invariance", set={"colour": "blue"})
    assert found.violated.tolist() == [True, False, True, False]
    assert found.share == 0.5
    assert outcome(kind="invariance", set={"colour": "blue"}, tolerance=0.3).share == 0
    assert outcome(kind="invariance", set={"paid": False}).share == 0


def test_a_renamed_category_is_tried_on_its_rows_alone() -> None:
    found = outcome(kind="invariance", rename={"colour": {"red": "blue"}})
    assert found.rows.tolist() == [0, 2]
    assert found.violated.tolist() == [True, True]
    assert np.abs(found.before - found.after).tolist() == pytest.approx([0.2, 0.2])
    swapped = outcome(kind="invariance", rename={"colour": {"red": "blue", "blue": "red"}}, tolerance=0.3)
    assert swapped.rows.tolist() == [0, 1, 2], "a gap has no name"
    assert swapped.share == 0
    assert outcome(kind="invariance", rename={"colour": {"red": "blue"}}, when={"age": 20}).rows.tolist() == [0]
    assert len(outcome(kind="invariance", rename={"colour": {"green": "blue"}}).rows) == 0
    title = defined(kind="invariance", rename={"colour": {"red": "blue"}}, when={"age": 20}).title
    assert title == "colour red -> blue, where age = 20 changes nothing"


def test_a_rename_of_what_is_not_there_is_refused() -> None:
    tests = [
        defined(kind="invariance", rename={"color": {"red": "blue"}, "age": {"1": "2"}, "colour": {"rde": "blue"}})
    ]
    said = {fault.place: fault.rule for fault in schema_faults(tests, SCHEMA)}
    assert said == {
        "tests.0.rename.color": "is no feature",
        "tests.0.rename.age": "only categories have names, and it is numeric",
    }
    preprocessor = fit_preprocessor(Table(FRAME, SCHEMA), PreprocessingSection())
    assert [fault.value for fault in level_faults(tests, preprocessor)] == ["rde"]


@pytest.mark.parametrize(
    ("when", "rows"),
    [
        ({"colour": "red"}, [0, 2]),
        ({"colour": None}, [3]),
        ({"age": 30}, [1]),
        ({"paid": True}, [0, 3]),
        ({"since": "2024-01-01", "paid": True}, [0, 3]),
        ({"age": 77}, []),
    ],
)
def test_only_the_rows_that_are_meant_are_tried(when: dict[str, Any], rows: list[int]) -> None:
    found = outcome(kind="invariance", set={"colour": "blue"}, when=when)
    assert found.rows.tolist() == rows
    assert len(rows) or np.isnan(found.share)


def test_a_directional_test_counts_rows_that_move_the_wrong_way() -> None:
    up = outcome(kind="directional", add={"age": 5}, expect="not_lower")
    assert up.violated.tolist() == [False, False, False, True]
    down = outcome(kind="directional", add={"age": 5}, expect="not_higher")
    assert down.violated.tolist() == [True, True, False, False], "a gap stays a gap"
    other = outcome(kind="directional", add={"age": 5}, expect="not_lower", of_class="no")
    assert other.violated.tolist() == [True, True, False, False]


def test_minimum_functionality_counts_wrong_answers() -> None:
    found = outcome(kind="minimum_functionality", set={"age": 40, "colour": "red"}, expect="yes")
    assert found.share == 0
    assert outcome(kind="minimum_functionality", when={"colour": "red"}, expect="yes").violated.tolist() == [
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"kind": "invarance"}, "behaviour.0.kind: unknown kind"),
        ({"set": {"age": 1}}, "behaviour.0.kind: is missing"),
        ({"kind": "invariance"}, "needs 'rename' or 'set'"),
        ({"kind": "invariance", "rename": {"colour": {"red": "red"}}}, "renames 'red' of 'colour' to itself"),
        ({"kind": "invariance", "rename": {"colour": {}}}, "rename.colour"),
        (
            {"kind": "invariance", "rename": {"colour": {"red": "blue"}}, "set": {"colour": "red"}},
            "both renames levels of and sets 'colour'",
        ),
        ({"kind": "invariance", "set": {"age": [1]}}, "needs a text, a number, true, false or null"),
        ({"kind": "invariance", "set": {"age": 1}, "tolerance": -1}, "tolerance"),
        ({"kind": "invariance", "set": {"age": 1}, "max_violations": 2}, "max_violations"),
        ({"kind": "invariance", "set": {"age": 1}, "wehn": {}}, "Did you mean 'when'"),
        ({"kind": "directional", "add": {"age": 1}}, "expect: is missing"),
        ({"kind": "directional", "add": {"age": 0}, "expect": "not_lower"}, "adds 0 to 'age'"),
        ({"kind": "directional", "add": {"age": "1"}, "expect": "not_lower"}, "add.age: should be a valid number"),
        ({"kind": "directional", "expect": "not_lower"}, "needs 'add' or 'set'"),
        ({"kind": "minimum_functionality", "set": {"age": 1}}, "either 'expect'"),
        ({"kind": "minimum_functionality", "set": {"age": 1}, "between": [2, 1]}, "wrong way round"),
    ],
)
def test_what_is_wrong_by_itself_is_refused_when_it_is_read(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        defined(**options)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("options", "place", "rule"),
    [
        ({"kind": "invariance", "set": {"agee": 1}}, "tests.0.set.agee", "is no feature"),
        ({"kind": "invariance", "set": {"y": "no"}}, "tests.0.set.y", "is no feature"),
        ({"kind": "invariance", "set": {"age": "old"}}, "tests.0.set.age", "needs a numeric value"),
        ({"kind": "invariance", "set": {"age": True}}, "tests.0.set.age", "needs a numeric value"),
        ({"kind": "invariance", "set": {"paid": 1}}, "tests.0.set.paid", "needs a boolean value"),
        ({"kind": "invariance", "set": {"since": "soon"}}, "tests.0.set.since", "needs a datetime value"),
        ({"kind": "invariance", "set": {"age": 1}, "when": {"x": 1}}, "tests.0.when.x", "is no feature"),
        ({"kind": "directional", "add": {"colour": 1}, "expect": "not_lower"}, "tests.0.add.colour", "numeric column"),
        (
            {"kind": "directional", "add": {"age": 1}, "expect": "not_lower", "of_class": "y"},
            "tests.0.of_class",
            "class",
        ),
        ({"kind": "minimum_functionality", "set": {"age": 1}, "expect": "maybe"}, "tests.0.expect", "unknown class"),
        (
            {"kind": "minimum_functionality", "set": {"age": 1}, "between": [1, 2]},
            "tests.0.between",
            "the task is binary",
        ),
    ],
)
def test_what_the_schema_does_not_have_is_named(options: dict[str, Any], place: str, rule: str) -> None:
    (fault,) = schema_faults([defined(**options)], SCHEMA)
    assert fault.place == place
    assert rule in fault.rule
    assert Behaviour(tests=[defined(**options)]).faults(SCHEMA) == [fault]


def test_a_level_that_train_did_not_have_is_named() -> None:
    preprocessor = fit_preprocessor(Table(FRAME, SCHEMA), PreprocessingSection())
    good = defined(kind="invariance", set={"colour": None}, when={"colour": "red"})
    assert schema_faults([good], SCHEMA) == level_faults([good], preprocessor) == []
    (fault,) = level_faults([good, defined(kind="invariance", set={"colour": "rde"})], preprocessor)
    assert fault.place == "tests.1.set.colour"
    assert "Did you mean 'red'" in fault.remedy
