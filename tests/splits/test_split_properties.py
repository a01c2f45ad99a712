"""What every member of the family promises, over the registry."""

import re
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings

from goodfit.data import SchemaSection, Table, infer_schema
from goodfit.errors import DataError
from goodfit.params import check
from goodfit.registry import Section, option_names
from goodfit.splits import NAMES, SPLITS, Parts, SplitSection, split_table
from goodfit.splits.base import FractionSplit

REQUIRED: dict[str, dict[str, Any]] = {"predefined": {"column": "fold"}}
KINDS = list(SPLITS)
FRACTION_KINDS = [kind for kind in SPLITS if issubclass(SPLITS[kind].cls, FractionSplit)]
UNIT_KINDS = [kind for kind in SPLITS if SPLITS[kind].facts.get("keeps_units")]
FEW = settings(max_examples=12, deadline=None, database=None, suppress_health_check=[HealthCheck.filter_too_much])


class Holder(Section):
    split: SplitSection


def options(kind: str, **chosen: Any) -> Any:
    return check({"split": {"kind": kind, **REQUIRED.get(kind, {}), **chosen}}, Holder, "params.yaml").split


@st.composite
def tables(draw: st.DrawFn, least: int = 40, most: int = 160) -> Table:
    """Few distinct values, so that copies, shared groups and equal times are the rule."""
    number = draw(st.integers(least, most))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    levels = draw(st.integers(2, 60))
    regression = draw(st.booleans())
    frame = pd.DataFrame(
        {
            "key": generator.permutation(number),
            "who": generator.integers(0, draw(st.integers(12, 60)), number),
            "when": generator.integers(0, draw(st.integers(12, 200)), number),
            "fold": np.array(NAMES)[np.r_[0, 1, 2, generator.integers(0, 3, number - 3)]],
            "a": generator.integers(0, levels, number).astype(float),
            "b": np.array(["x", "y", "ü", None], dtype=object)[generator.integers(0, 4, number)],
            "y": generator.integers(0, 40, number) * 1.5 if regression else generator.integers(0, 2, number) == 1,
        }
    )
    assume(frame["y"].nunique() > 1)
    schema = SchemaSection(target="y", id=["key"], group="who", time="when", ignore=["fold"])
    return Table(frame, infer_schema(frame, schema))


def split(table: Table, section: Any, seed: int = 1) -> Parts:
    try:
        return split_table(table, section, seed)
    except DataError:  # too few units for three splits is an honest refusal, and no subject of these properties
        assume(False)
        raise


def test_the_registry_holds_the_family() -> None:
    assert {"random", "stratified", "group", "time", "hashed", "predefined"} <= set(KINDS)
    assert FRACTION_KINDS and UNIT_KINDS


@pytest.mark.parametrize("kind", KINDS)
@FEW
@given(data=tables(), seed=st.integers(0, 2**32 - 1))
def test_every_row_is_in_exactly_one_split(kind: str, data: Table, seed: int) -> None:
    parts = split(data, options(kind), seed)
    assert parts.left_out == 0
    dealt = pd.concat([parts.train.frame, parts.valid.frame, parts.test.frame])["key"]
    assert sorted(dealt) == sorted(data.frame["key"])
    assert all(parts.rows[name] == len(parts.part(name)) > 0 for name in NAMES)


@pytest.mark.parametrize("kind", KINDS)
@FEW
@given(data=tables(), seed=st.integers(0, 2**32 - 1))
def test_equal_input_and_seed_give_an_equal_split(kind: str, data: Table, seed: int) -> None:
    first, second = split(data, options(kind), seed), split(data, options(kind), seed)
    assert np.array_equal(first.codes, second.codes)
    assert first.to_dict() == second.to_dict()


@pytest.mark.parametrize("kind", KINDS)
@FEW
@given(data=tables())
def test_the_order_of_columns_moves_no_row(kind: str, data: Table) -> None:
    frame = data.frame[data.frame.columns[::-1]]
    schema = SchemaSection(target="y", id=["key"], group="who", time="when", ignore=["fold"])
    mirrored = Table(frame, infer_schema(frame, schema))
    assert np.array_equal(split(data, options(kind)).codes, split(mirrored, options(kind)).codes)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "predefined"])
@FEW
@given(data=tables())
def test_copies_are_never_torn(kind: str, data: Table) -> None:
    parts = split(data, options(kind))
    columns = ["a", "b", "y"] + (["when"] if kind == "time" else [])
    held = data.frame[columns].assign(code=parts.codes).groupby(columns, dropna=False)["code"].nunique()
    assert len(held) and held.max() == 1


@pytest.mark.parametrize("kind", UNIT_KINDS)
def test_copies_are_torn_where_they_are_allowed_to_be(kind: str) -> None:
    number = 300
    frame = pd.DataFrame({"who": range(number), "a": [1.0, 2.0, 3.0] * 100, "y": ["n", "y", "n"] * 100})
    data = Table(frame, infer_schema(frame, SchemaSection(target="y", group="who")))
    parts = split_table(data, options(kind, duplicates="allow"), 1)
    assert frame.assign(code=parts.codes).groupby("a")["code"].nunique().max() > 1


@pytest.mark.parametrize("kind", FRACTION_KINDS)
@pytest.mark.parametrize("shares", [(0.7, 0.15, 0.15), (0.34, 0.33, 0.33), (0.9, 0.05, 0.05)])
def test_the_shares_are_kept(kind: str, shares: tuple[float, float, float]) -> None:
    number = 12_000
    generator = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "who": generator.integers(0, 3000, number),
            "when": generator.integers(0, 4000, number),
            "a": generator.normal(size=number),
            "y": generator.choice(["n", "y"], number),
        }
    )
    data = Table(frame, infer_schema(frame, SchemaSection(target="y", group="who", time="when")))
    parts = split_table(data, options(kind, **dict(zip(NAMES, shares, strict=True))), 5)
    assert [rows / number for rows in parts.rows.values()] == pytest.approx(list(shares), abs=0.015)


@pytest.mark.parametrize("kind", ["random", "stratified", "group", "hashed"])
def test_another_seed_gives_another_split(kind: str, rows: pd.DataFrame) -> None:
    schema = SchemaSection(target="y", id=["key"], group="who", time="when")
    data = Table(rows, infer_schema(rows, schema))
    assert not np.array_equal(split_table(data, options(kind), 1).codes, split_table(data, options(kind), 2).codes)


@pytest.mark.parametrize("kind", KINDS)
def test_every_option_is_described(kind: str) -> None:
    described: set[str] = set()
    for owner in SPLITS[kind].cls.__mro__:
        _, found, listed = (owner.__doc__ or "").partition("Options:")
        described |= set(re.findall(r"^\s+(\w+): ", listed, re.MULTILINE)) if found else set()
    names = option_names(SPLITS[kind].cls)
    assert names and set(names) <= described
