"""Folds of the train rows, made as the split was: groups and copies stay whole, time runs forward.

How the split was made, its rows show: where every valid row lies behind every train row in time, it was by time. So
an edit to a way of splitting does not reach the search other than through its rows.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from goodfit.data import Table
from goodfit.errors import DataError, Fault
from goodfit.tuning.trial import derived_seed

Codes = NDArray[np.int64]
BINS = 10
"""Ranges of the target that regression folds are balanced over."""


def fold_tables(train: Table, valid: Table, folds: int, seed: int) -> list[tuple[Table, Table]]:
    """Return the train and the valid rows of each fold.

    After a split by time the rows are cut into one block more than there are folds, and each block but the first is
    foreseen from those before it, at the distance that lies between train and valid. Otherwise each row is valid in
    exactly one fold; rows of a group stay together, and so do exact copies; classes (ranges of a numeric target) are
    dealt out evenly.

    Args:
        train: the rows to make folds of.
        valid: the valid rows; they only show how the split was made.
        folds: how many.
        seed: the project's.

    Raises:
        DataError: there are too few groups, copies or moments for so many folds.
    """
    named = train.schema.names("time")
    times = (train.frame[named[0]], valid.frame[named[0]]) if named else None
    if times and len(valid) and times[0].max() <= times[1].min():
        return _forward(train, times[0], times[1].min() - times[0].max(), folds)
    codes = _dealt(_units(train), _strata(train), folds, derived_seed(seed, "folds", folds))
    return [(train.take(codes != fold), train.take(codes == fold)) for fold in range(folds)]


def _units(train: Table) -> Codes:
    """Return [n] number of what each row must stay together with: copies of it, and its group."""
    told = [column.name for column in train.schema.columns if column.role in ("feature", "target")]
    copies = pd.factorize(pd.util.hash_pandas_object(train.frame[told], index=False))[0].astype(np.int64)
    units: Codes = copies
    for name in train.schema.names("group"):
        from scipy.sparse import coo_array  # a tenth of a second that a search without groups should not pay for
        from scipy.sparse.csgraph import connected_components

        codes = pd.factorize(train.frame[name])[0].astype(np.int64)
        lone = codes < 0
        codes[lone] = codes.max(initial=-1) + 1 + np.arange(lone.sum())
        first = int(copies.max(initial=-1)) + 1
        size = first + int(codes.max(initial=-1)) + 1
        graph = coo_array((np.ones(len(codes), dtype=np.int8), (copies, first + codes)), shape=(size, size))
        units = connected_components(graph, directed=False)[1][copies].astype(np.int64)
    return pd.factorize(units)[0].astype(np.int64)


def _strata(train: Table) -> Codes:
    target = train.frame[train.schema.target.name]
    if train.schema.task == "regression":
        shares = target.rank(method="first", pct=True).to_numpy(dtype=np.float64)
        return np.minimum(shares * BINS, BINS - 1).astype(np.int64)
    return pd.factorize(target, sort=True)[0].astype(np.int64)


def _dealt(units: Codes, strata: Codes, folds: int, seed: int) -> Codes:
    """Return [n] fold of each row: shuffled units, stratum after stratum, to whichever fold has fewest of its rows."""
    sizes = np.bincount(units)
    if len(sizes) < folds:
        raise _too_few(f"{len(sizes)} groups of rows that must stay together", folds)
    stratum = np.zeros(len(sizes), dtype=np.int64)
    stratum[units] = strata
    order = np.random.default_rng(seed).permutation(len(sizes))
    order = order[np.argsort(stratum[order], kind="stable")]
    fold, total = np.empty(len(sizes), dtype=np.int64), np.zeros(folds)
    here = np.zeros((int(stratum.max()) + 1, folds))
    for unit in order.tolist():
        rows = here[stratum[unit]]
        chosen = int(np.lexsort((total, rows))[0])
        fold[unit] = chosen
        rows[chosen] += sizes[unit]
        total[chosen] += sizes[unit]
    codes: Codes = fold[units]
    return codes


def _forward(train: Table, times: pd.Series, distance: object, folds: int) -> list[tuple[Table, Table]]:
    moment = times.rank(method="dense").to_numpy(dtype=np.float64).astype(np.int64) - 1
    counts = np.bincount(moment)
    middles = (np.cumsum(counts) - counts / 2) / counts.sum()
    block = np.minimum((middles * (folds + 1)).astype(np.int64), folds)[moment]
    if len(np.unique(block)) <= folds:
        raise _too_few(f"{len(counts)} moments", folds)
    parts = []
    for fold in range(1, folds + 1):
        ahead = block == fold
        before = (block < fold) & (times <= times[ahead].min() - distance).to_numpy(dtype=bool)
        if not before.any():
            raise _too_few("moments closer to each other than train and valid are", folds)
        parts.append((train.take(before), train.take(ahead)))
    return parts


def _too_few(found: str, folds: int) -> DataError:
    rule = f"the train rows have {found}, too few for {folds} folds"
    return DataError([Fault("params.yaml: tune.folds", rule, None, "Lower tune.folds.")])
