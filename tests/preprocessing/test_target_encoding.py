import numpy as np
import pandas as pd
import pytest

from goodfit.errors import DataError
from goodfit.preprocessing import PreprocessingSection, fit_preprocessor
from goodfit.preprocessing.targets import target_from_dict


def fit(table_of, target, **options):
    frame = pd.DataFrame({"x": np.arange(len(target), dtype=float), "y": target})
    return fit_preprocessor(table_of(frame, target="y", **options), PreprocessingSection()), frame


@pytest.mark.parametrize(
    ("target", "codes"),
    [
        (["no", "yes", "no", "yes"], [0, 1, 0, 1]),
        ([3, 1, 2, 1], [2, 0, 1, 0]),
        ([1.0, 0.0, 1.0, 0.0], [1, 0, 1, 0]),
        ([10, 9, 10, 9], [1, 0, 1, 0]),
        ([True, False, True, False], [1, 0, 1, 0]),
        (pd.array([1, 0, 1, 0], dtype="Int64"), [1, 0, 1, 0]),
        (pd.Categorical(["b", "a", "b", "a"]), [1, 0, 1, 0]),
    ],
    ids=["text", "integers", "fractions", "numeric order", "truth", "nullable", "categories"],
)
def test_classes_have_the_order_of_the_schema(table_of, target, codes):
    fitted, frame = fit(table_of, target)
    encoded = fitted.encode_target(frame)
    assert encoded.dtype == np.int64
    assert encoded.tolist() == codes
    assert target_from_dict(fitted.target.to_dict()) == fitted.target


def test_classes_read_the_same_with_and_without_a_fraction(table_of):
    fitted, frame = fit(table_of, [1.0, 0.0, 1.0, 0.0])
    assert fitted.encode_target(frame.astype({"y": "int64"})).tolist() == [1, 0, 1, 0]
    fitted, frame = fit(table_of, [1, 0, 1, 0])
    assert fitted.encode_target(frame.astype({"y": "float64"})).tolist() == [1, 0, 1, 0]


def test_text_classes_that_look_alike_as_numbers_stay_apart(table_of):
    fitted, frame = fit(table_of, ["1", "1.0", "1", "1.0"])
    assert fitted.encode_target(frame).tolist() == [0, 1, 0, 1]
    assert fitted.decode_target(np.array([0, 1])).tolist() == ["1", "1.0"]


def test_a_number_is_standardised_and_comes_back(table_of):
    price = np.random.default_rng(0).normal(1e6, 3e4, 500)
    fitted, frame = fit(table_of, price)
    encoded = fitted.encode_target(frame)
    assert encoded.dtype == np.float32
    assert abs(encoded.mean()) < 1e-6
    assert abs(encoded.std() - 1) < 1e-6
    np.testing.assert_allclose(fitted.decode_target(encoded), price, rtol=1e-7)
    assert target_from_dict(fitted.target.to_dict()) == fitted.target


@pytest.mark.parametrize(
    ("target", "spoil", "message"),
    [
        (["a", "b"] * 2, None, "missing in 1 rows"),
        (["a", "b"] * 2, "c", "unknown class .*'c'.*Known: a, b"),
        ([0.5, 1.5, 2.5, 0.5], np.nan, "missing in 1 rows"),
        ([0.5, 1.5, 2.5, 0.5], np.inf, "infinite in 1 rows"),
    ],
)
def test_a_target_that_does_not_fit_is_refused(table_of, target, spoil, message):
    fitted, frame = fit(table_of, target)
    frame.loc[2, "y"] = spoil
    with pytest.raises(DataError, match=r"column 'y'.*" + message):
        fitted.encode_target(frame)
    with pytest.raises(DataError, match="'y': is missing"):
        fitted.encode_target(frame[["x"]])
