"""Which rows belong together: exact copies, and the rows of a group."""

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from goodfit.data import Table
from goodfit.splits.base import Split, Units
from goodfit.splits.hashing import Hashes, hash_rows


def clusters_of(table: Table, split: Split) -> Units:
    """Return [n] numbers, from 0 without gaps: two rows have the same one when they are exact copies."""
    return numbered_hashes(hash_rows(table.frame, split.identity(table.schema)))


def numbered(values: pd.Series) -> Units:
    """Return [n] numbers of the distinct values, in order of appearance; every missing value is a value by itself."""
    codes, distinct = pd.factorize(values)
    codes = codes.astype(np.int64, copy=False)
    missing = codes < 0
    if missing.any():
        codes[missing] = len(distinct) + np.arange(missing.sum())
    return codes


def numbered_hashes(hashes: Hashes) -> Units:
    """Return [n] numbers of the distinct hashes, in order of appearance; quick where few repeat, as copies do."""
    rows = np.arange(len(hashes), dtype=np.int64)
    repeated = repeating(hashes)
    if not len(repeated):
        return rows
    alike = rows[pd.Series(hashes).isin(repeated)]
    codes, distinct = pd.factorize(hashes[alike])
    first = np.empty(len(distinct), dtype=np.int64)
    first[codes[::-1]] = alike[::-1]
    leader = rows.copy()
    leader[alike] = first[codes]
    number: Units = np.cumsum(leader == rows) - 1
    return number[leader]


def repeating(hashes: Hashes) -> Hashes:
    """Return the distinct hashes that occur more than once, ascending."""
    ordered = np.sort(hashes)
    return np.unique(ordered[1:][ordered[1:] == ordered[:-1]])


def joined(units: Units, others: Units) -> Units:
    """Return the units that keep both kinds of unit whole: the connected components of rows that share either."""
    links = np.flatnonzero(np.bincount(units)[units] > 1)  # a unit of one row ties nothing together
    size = int(others.max()) + 1 if len(others) else 0
    ties = int(units.max()) + 1 if len(units) else 0
    shape = (size + ties, size + ties)
    graph = coo_array((np.ones(len(links), dtype=np.int8), (others[links], size + units[links])), shape=shape)
    labels = connected_components(graph, directed=False)[1]
    return numbered(pd.Series(labels[others]))
