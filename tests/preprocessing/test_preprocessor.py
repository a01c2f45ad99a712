import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from goodfit.errors import DataError
from goodfit.preprocessing import PreprocessingSection, Preprocessor, fit_preprocessor
from goodfit.preprocessing import preprocessor as module

EVERY_SCALING = ("quantile", "robust", "standard", "none")


@pytest.fixture
def fitted(mixed, table_of):
    return fit_preprocessor(table_of(mixed), PreprocessingSection())


def same(first, second):
    return first.numeric.tobytes() == second.numeric.tobytes() and (first.categorical == second.categorical).all()


def test_every_type_of_column_becomes_what_its_name_says(fitted, mixed):
    arrays = fitted.transform(mixed)
    assert fitted.numeric_names == [
        "amount", "amount.missing", "count", "flag", "flag.missing", "when.year", "when.elapsed", "when.month_sin",
        "when.month_cos", "when.day_of_week_sin", "when.day_of_week_cos", "when.hour_sin", "when.hour_cos",
    ]  # fmt: skip
    assert fitted.categorical_names == ["city", "code"]
    assert fitted.cardinalities == [6, 32]
    assert arrays.numeric.shape == (300, 13)
    assert (arrays.numeric.dtype, arrays.categorical.dtype) == (np.float32, np.int64)
    assert np.isfinite(arrays.numeric).all()
    named = dict(zip(fitted.numeric_names, arrays.numeric.T, strict=True))
    np.testing.assert_array_equal(named["amount.missing"] == 1, mixed["amount"].isna())
    np.testing.assert_array_equal(named["flag"] == 1, mixed["flag"].fillna(False).astype(bool))
    np.testing.assert_allclose(named["when.hour_sin"], np.sin(mixed["when"].dt.hour * np.pi / 12), atol=1e-6)
    np.testing.assert_allclose(named["when.month_cos"], np.cos((mixed["when"].dt.month - 1) * np.pi / 6), atol=1e-6)


def test_gaps_take_the_training_median(mixed, table_of):
    fitted = fit_preprocessor(table_of(mixed), PreprocessingSection(scaling="none"))
    column = fitted.transform(mixed).numeric[:, 0]
    np.testing.assert_allclose(column[mixed["amount"].isna()], mixed["amount"].median(), rtol=1e-6)


def test_levels_have_codes_from_two_with_missing_and_unknown_before(fitted, mixed):
    rows = mixed.head(3).assign(city=["Bern", None, "Atlantis"])
    assert fitted.transform(rows).categorical[:, 0].tolist() == [2, 0, 1]


@pytest.mark.parametrize("scaling", EVERY_SCALING)
def test_state_is_bit_equal_when_test_rows_change(mixed, table_of, scaling):
    section = PreprocessingSection(scaling=scaling)
    whole = table_of(mixed)
    train = pd.Series(np.arange(300) < 200)
    other = mixed.copy()
    other.loc[200:, "amount"] = 1e9
    other.loc[200:, "city"] = "Nowhere"
    other.loc[200:, "price"] = -1.0
    states = [json.dumps(fit_preprocessor(table_of(f).take(train), section).to_dict()) for f in (mixed, other)]
    assert states[0] == states[1]
    # The defence is the rows that fit sees: given all of them, the state does change.
    assert json.dumps(fit_preprocessor(whole, section).to_dict()) != states[0]


@pytest.mark.parametrize("scaling", EVERY_SCALING)
@pytest.mark.parametrize("cyclic", [True, False])
def test_state_survives_json_to_the_last_bit(mixed, table_of, scaling, cyclic):
    fitted = fit_preprocessor(table_of(mixed), PreprocessingSection(scaling=scaling, cyclic_dates=cyclic))
    back = Preprocessor.from_dict(json.loads(json.dumps(fitted.to_dict(), allow_nan=False)))
    assert back == fitted
    assert same(back.transform(mixed), fitted.transform(mixed))


@pytest.mark.parametrize("scaling", EVERY_SCALING)
def test_one_row_alone_equals_that_row_of_a_batch(mixed, table_of, scaling):
    fitted = fit_preprocessor(table_of(mixed), PreprocessingSection(scaling=scaling))
    batch = fitted.transform(mixed)
    for i in range(40):
        alone = fitted.transform(mixed.iloc[[i]])
        assert alone.numeric[0].tobytes() == batch.numeric[i].tobytes()
        assert (alone.categorical[0] == batch.categorical[i]).all()
    assert i == 39


def test_a_row_may_come_as_plain_objects(fitted, mixed):
    batch = fitted.transform(mixed)
    for i in range(10):
        values = {name: [None if pd.isna(v) else v] for name, v in mixed.iloc[i].to_dict().items()}
        row = pd.DataFrame({name: pd.Series(value, dtype=object) for name, value in values.items()})
        assert fitted.transform(row).numeric[0].tobytes() == batch.numeric[i].tobytes()
    assert i == 9


def test_column_order_and_extra_columns_do_not_matter(fitted, mixed):
    other = mixed[mixed.columns[::-1]].assign(extra="x")
    assert same(fitted.transform(other), fitted.transform(mixed))
    assert same(fitted.transform(other.drop(columns="price")), fitted.transform(mixed))


def test_the_size_of_a_chunk_does_not_matter(fitted, mixed, monkeypatch):
    whole = fitted.transform(mixed)
    monkeypatch.setattr(module, "CHUNK", 7)
    assert same(fitted.transform(mixed), whole)


def test_an_index_that_is_no_range_does_not_matter(fitted, mixed):
    shuffled = mixed.sample(frac=1, random_state=0)
    expected = fitted.transform(mixed).numeric[shuffled.index]
    assert fitted.transform(shuffled).numeric.tobytes() == expected.tobytes()


def test_no_rows_give_no_rows(fitted, mixed):
    empty = fitted.transform(mixed.head(0))
    assert len(empty) == 0
    assert empty.categorical.shape == (0, 2)


def test_every_wrong_column_is_named_at_once(fitted, mixed):
    with pytest.raises(DataError) as missing:
        fitted.transform(mixed.drop(columns=["amount", "city"]))
    assert [fault.place for fault in missing.value.faults] == ["column 'amount'", "column 'city'"]
    with pytest.raises(DataError) as wrong:
        fitted.transform(mixed.assign(amount="much", when=5, city=[["a"]] * 300))
    assert [fault.place for fault in wrong.value.faults] == ["column 'amount'", "column 'when'", "column 'city'"]
    twice = pd.concat([mixed, mixed[["count"]]], axis="columns")
    with pytest.raises(DataError, match="column 'count': is there twice"):
        fitted.transform(twice)


def test_columns_that_say_nothing_are_dropped_with_a_note(mixed, table_of):
    mixed = mixed.assign(
        same=7,
        empty=pd.Series([np.nan] * 300),
        one=pd.Series(["a"] * 300),
        yes=pd.Series([True] * 300),
        day=pd.Timestamp("2020-01-01"),
    )
    fitted = fit_preprocessor(table_of(mixed), PreprocessingSection())
    assert not {"same", "empty", "one", "yes", "day"} & set(fitted.columns)
    assert len(fitted.notes) == 5
    assert "column 'empty' is dropped: it has no value in the training rows" in fitted.notes
    assert "column 'same' is dropped: it has one value in all training rows" in fitted.notes
    fitted.transform(mixed.drop(columns=["same", "empty"]))  # what was dropped need not be there


def test_a_constant_with_gaps_keeps_where_the_gaps_are(mixed, table_of):
    gap = mixed["amount"].isna()
    mixed = mixed.assign(
        same=pd.Series(3.0).repeat(300).to_numpy(),
        yes=pd.array([True] * 300, dtype="boolean"),
        city=pd.Series(["a"] * 300),
    )
    mixed.loc[gap, ["same", "yes", "city"]] = None
    fitted = fit_preprocessor(table_of(mixed), PreprocessingSection())
    arrays = fitted.transform(mixed)
    for name in ("same.missing", "yes.missing"):
        np.testing.assert_array_equal(arrays.numeric[:, fitted.numeric_names.index(name)] == 1, gap)
    assert fitted.cardinalities[0] == 3
    without = fit_preprocessor(table_of(mixed), PreprocessingSection(missing_indicators=False))
    assert not [name for name in without.numeric_names if name.endswith("missing")]


def test_nothing_to_learn_from_is_refused(table_of):
    frame = pd.DataFrame({"a": [1.0, 1.0], "price": [1.0, 2.0]})
    with pytest.raises(DataError, match="every feature is constant or empty"):
        fit_preprocessor(table_of(frame), PreprocessingSection())
    with pytest.raises(DataError, match="there are none"):
        fit_preprocessor(table_of(frame).take(pd.Series([False, False])), PreprocessingSection())


def test_rare_levels_are_unknown(table_of):
    frame = pd.DataFrame({"city": ["a"] * 5 + ["b"] * 3 + ["c"] * 3 + ["d"], "price": np.arange(12.0)})
    few = fit_preprocessor(table_of(frame), PreprocessingSection(max_levels=2))
    assert few.coded[0].levels == ("a", "b")
    often = fit_preprocessor(table_of(frame), PreprocessingSection(min_level_rows=3))
    assert often.coded[0].levels == ("a", "b", "c")
    assert often.transform(frame).categorical[-1, 0] == 1


def test_unused_categories_are_no_levels(table_of):
    frame = pd.DataFrame({"c": pd.Categorical(["a", "b"], categories=["a", "b", "z"]), "price": [1.0, 2.0]})
    assert fit_preprocessor(table_of(frame), PreprocessingSection()).coded[0].levels == ("a", "b")


def test_dates_of_one_year_without_hours_have_no_such_part(table_of):
    frame = pd.DataFrame({"day": pd.date_range("2022-01-01", periods=200), "price": np.arange(200.0)})
    names = fit_preprocessor(table_of(frame), PreprocessingSection(cyclic_dates=False)).numeric_names
    assert names == ["day.month", "day.day_of_week", "day.elapsed"]


def test_a_missing_time_is_the_centre_of_every_circle(table_of):
    days = pd.Series(pd.date_range("2022-01-01", periods=400, freq="37h"))
    days[3] = None
    fitted = fit_preprocessor(table_of(pd.DataFrame({"t": days, "price": np.arange(400.0)})), PreprocessingSection())
    row = dict(zip(fitted.numeric_names, fitted.transform(pd.DataFrame({"t": days})).numeric[3], strict=True))
    assert {value for name, value in row.items() if "_sin" in name or "_cos" in name} == {0.0}
    assert row["t.missing"] == 1


@pytest.mark.parametrize(
    "state", [{}, {"dense": 5}, {"dense": [{"type": "pickle"}], "coded": [], "target": {}, "notes": []}, []]
)
def test_a_foreign_state_is_refused(state):
    with pytest.raises(DataError, match="not a preprocessor's state"):
        Preprocessor.from_dict(state)


@settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    numbers=st.lists(st.one_of(st.none(), st.floats(allow_nan=False)), min_size=8, max_size=8),
    texts=st.lists(st.one_of(st.none(), st.text(max_size=3)), min_size=8, max_size=8),
    scaling=st.sampled_from(EVERY_SCALING),
)
def test_any_column_gives_finite_rows_that_do_not_know_each_other(table_of, numbers, texts, scaling):
    frame = pd.DataFrame(
        {
            "x": pd.Series(numbers, dtype="float64"),
            "t": pd.Series(texts, dtype=object),
            "sure": np.arange(8.0),
            "price": np.arange(8.0),
        }
    )
    fitted = fit_preprocessor(table_of(frame), PreprocessingSection(scaling=scaling))
    batch = fitted.transform(frame)
    assert np.isfinite(batch.numeric).all()
    alone = [fitted.transform(frame.iloc[[i]]) for i in range(8)]
    assert np.concatenate([a.numeric for a in alone]).tobytes() == batch.numeric.tobytes()
    assert np.concatenate([a.categorical for a in alone]).tobytes() == batch.categorical.tobytes()
