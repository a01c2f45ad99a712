"""Hash the values of rows: the same value gives the same number in any version, row order, column order and dtype.

Whole numbers hash alike as integers and as floats, so that a first missing value, which changes a column's dtype, moves
no row. Numbers: the finalizer of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014); text: SipHash, as pandas has it.
"""

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from pandas.api import types as kinds

Hashes = NDArray[np.uint64]
CHUNK = 1 << 17
PROBE = 1 << 14
TEXT_KEY = "goodfit.hash.0.1"  # SipHash takes 16 bytes; changing them moves every hashed row
MISSING = np.uint64(0x9E3779B97F4A7C15)
FRACTION_SALT = np.uint64(0xD1B54A32D192ED03)


def hash_rows(frame: pd.DataFrame, columns: Sequence[str], key: int = 0) -> Hashes:
    """Return [n] hashes of the values in some columns, whatever the order of the columns.

    Memory: 8 bytes a row, and some MB of chunks.
    """
    salts = {name: _salt(name, key) for name in columns}
    total = np.zeros(len(frame), dtype=np.uint64)

    def fill(start: int) -> None:
        part = total[start : start + CHUNK]
        for name, salt in salts.items():
            part += _mixed(_hashed(frame[name].iloc[start : start + CHUNK]) ^ salt)
        part[:] = _mixed(part)

    with ThreadPoolExecutor(pa.cpu_count()) as pool:
        list(pool.map(fill, range(0, len(frame), CHUNK)))
    return total


def hash_values(values: pd.Series) -> Hashes:
    """Return [n] hashes of one column; equal values give equal hashes."""
    hashes = np.empty(len(values), dtype=np.uint64)
    for start in range(0, len(values), CHUNK):
        hashes[start : start + CHUNK] = _hashed(values.iloc[start : start + CHUNK])
    return hashes


def _salt(name: str, key: int) -> np.uint64:
    digest = hashlib.blake2b(name.encode(), digest_size=8, key=key.to_bytes(8, "little")).digest()
    return np.uint64(int.from_bytes(digest, "little"))


def _mixed(values: Hashes) -> Hashes:
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values ^= values >> np.uint64(30)
    values *= np.uint64(0xBF58476D1CE4E5B9)
    values ^= values >> np.uint64(27)
    values *= np.uint64(0x94D049BB133111EB)
    values ^= values >> np.uint64(31)
    return values


def _hashed(values: pd.Series) -> Hashes:
    if isinstance(values.dtype, pd.CategoricalDtype):
        return _categories(values)
    missing = values.isna().to_numpy(dtype=bool)
    if kinds.is_numeric_dtype(values.dtype):  # counts booleans, whole numbers and fractions, nullable or not
        hashes = _numbers(values)
    elif kinds.is_datetime64_any_dtype(values.dtype) or kinds.is_timedelta64_dtype(values.dtype):
        hashes = _instants(values)
    else:
        hashes = _texts(values)
    hashes[missing] = MISSING
    return hashes


def _numbers(values: pd.Series) -> Hashes:
    if kinds.is_float_dtype(values.dtype):
        return _floats(values.to_numpy(dtype=np.float64, na_value=np.nan))
    wide = np.uint64 if kinds.is_unsigned_integer_dtype(values.dtype) else np.int64
    return _mixed(values.to_numpy(dtype=wide, na_value=0).view(np.uint64))


def _floats(values: NDArray[np.float64]) -> Hashes:
    whole = (np.floor(values) == values) & (np.abs(values) < 2.0**63)
    integers = np.where(whole, values, 0).astype(np.int64).view(np.uint64)
    return _mixed(np.where(whole, integers, np.ascontiguousarray(values).view(np.uint64) ^ FRACTION_SALT))


def _instants(values: pd.Series) -> Hashes:
    """Hash a moment as seconds and nanoseconds, so that the unit it is stored in does not matter."""
    unit = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[str(getattr(values.dt, "unit", "ns"))]
    seconds, rest = np.divmod(values.to_numpy(dtype=f"M8[{values.dt.unit}]").view(np.int64), unit)
    return _mixed(seconds.view(np.uint64)) + (rest * (10**9 // unit)).view(np.uint64)


def _categories(values: pd.Series) -> Hashes:
    known = _hashed(pd.Series(values.cat.categories))
    return np.append(known, MISSING)[values.cat.codes.to_numpy()]


def _texts(values: pd.Series) -> Hashes:
    """Hash text; where it repeats, hash each distinct text once."""
    probe = values.iloc[:PROBE]
    if probe.nunique() * 2 < len(probe):
        codes, distinct = pd.factorize(values)
        return np.append(_siphash(distinct.to_numpy(dtype=object)), MISSING)[codes]
    return _siphash(values.to_numpy(dtype=object))


def _siphash(texts: NDArray[np.object_]) -> Hashes:
    if not pd.api.types.is_string_dtype(texts.dtype) or pd.isna(texts).any():
        texts = np.array(
            ["" if missing else str(text) for text, missing in zip(texts, pd.isna(texts), strict=True)], dtype=object
        )
    return pd.util.hash_array(texts, hash_key=TEXT_KEY, categorize=False)
