"""Ways to change one raw column: make it missing, add noise, swap its categories."""

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from goodfit.data import Column
from goodfit.evaluation.explaining.blocks import Block
from goodfit.preprocessing import Arrays, Preprocessor
from goodfit.preprocessing.reading import read_numbers, read_times


def missing(values: pd.Series) -> pd.Series:
    """Return a column of gaps."""
    return pd.Series([None] * len(values), index=values.index, name=values.name, dtype=object)


def spread(values: pd.Series, column: Column) -> float:
    """Return the standard deviation of a numeric or time column (in seconds); 0 where there is none."""
    numbers = _numbers(values, column)
    known = numbers[np.isfinite(numbers)]
    return float(known.std()) if len(known) else 0.0


def perturbed(
    values: pd.Series, column: Column, size: float, scale: float, generator: np.random.Generator
) -> pd.Series:
    """Return a column with normal noise of `size` times `scale`, or with a share `size` of its values swapped.

    Numbers and times get noise; gaps stay gaps. A swapped category or truth value is one that stands in another row.
    """
    if column.type not in ("numeric", "datetime"):
        others = values.iloc[generator.permutation(len(values))].set_axis(values.index)
        return values.where(generator.random(len(values)) >= size, others)
    noise = generator.normal(0, 1, len(values)) * size * scale
    if column.type == "numeric":
        return pd.Series(read_numbers(values) + noise, index=values.index, name=values.name)
    return read_times(values) + pd.to_timedelta(noise, unit="s")


def with_column(arrays: Arrays, preprocessor: Preprocessor, block: Block, values: pd.Series) -> Arrays:
    """Return preprocessed rows with other raw values in one column, on which nothing but its block depends.

    Args:
        arrays: the rows, preprocessed; left as they are.
        preprocessor: what made them.
        block: of the raw column, which gives it its name.
        values: its new raw values, [n].
    """
    dense = tuple(column for column in preprocessor.dense if column.column == block.name)
    coded = tuple(column for column in preprocessor.coded if column.column == block.name)
    alone = replace(preprocessor, dense=dense, coded=coded).transform(pd.DataFrame({block.name: values}))
    numeric, categorical = arrays.numeric.copy(), arrays.categorical.copy()
    numeric[:, list(block.numeric)] = alone.numeric
    categorical[:, list(block.categorical)] = alone.categorical
    return Arrays(numeric, categorical)


def _numbers(values: pd.Series, column: Column) -> NDArray[np.float64]:
    if column.type == "datetime":
        times = read_times(values)
        seconds = times.astype("datetime64[ns]").astype("int64").to_numpy(float) / 1e9
        return np.where(times.isna(), np.nan, seconds)
    return read_numbers(values)
