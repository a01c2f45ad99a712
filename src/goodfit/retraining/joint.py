"""Do the columns hang together as before: can a classifier tell new rows from those that the champion knows.

The classifier two-sample test (Lopez-Paz & Oquab, 2017): where the rows are of one kind, nothing can be learnt, and on
rows that it has not seen the classifier ranks at random. The rows are dealt into two halves; each half is ranked by a
classifier that has learnt from the other, and the ranks are judged by Mann and Whitney's test. The smaller of the two
p-values counts, doubled, so that the rate of false alarms does not rest on the halves being independent.

Each column by itself is judged elsewhere. So that a number's shift is not found again here, and at a size that does not
matter there, a number is replaced by its rank among the rows of its own kind. Trees are slow to find a relation of two
columns that neither shows alone, since no first split gains anything; so they are shown the products of the PAIRS whose
correlation differs most between the two kinds in the half that they learn from.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import mannwhitneyu

from goodfit.preprocessing.reading import read_levels, read_numbers

FEWEST_ROWS = 200
"""Fewest new rows, and fewest known ones."""
MOST_ROWS, MOST_ENTRIES = 5000, 1_000_000
"""Most rows of either kind, and most cells of both, that the classifiers are shown; drawn at random of more."""
MOST_LEVELS = 60
"""Levels that are told apart in one column; the rarer ones are taken together."""
PAIRS = 20
MOST_FACTORS = 300
"""Columns and levels that pairs are sought among, the first so many."""
NAMED_LEVELS = 5
"""Levels of a column, the most frequent, each of which may be one of a pair."""
SETTINGS: Mapping[str, Any] = {
    "max_iter": 60,
    "max_leaf_nodes": 8,
    "min_samples_leaf": 20,
    "l2_regularization": 1.0,
    "max_bins": 63,
    "early_stopping": False,
}


@dataclass(frozen=True)
class Apart:
    """How well new rows are told from known ones.

    Args:
        area: under the ROC curve, on rows that the classifier has not learnt from: 0.5 for not at all, 1 for always.
        chance: p-value.
        rows: of both kinds that were looked at.
    """

    area: float
    chance: float
    rows: int


def tell_apart(known: pd.DataFrame, new: pd.DataFrame, kinds: Mapping[str, str], seed: int) -> Apart | None:
    """Return how well a classifier tells new rows from known ones; None where rows are too few.

    Args:
        known: rows that the champion knows; rows of one frame must not depend on each other.
        new: rows that it does not.
        kinds: column to `numeric` or `levels`.
        seed: of the draws.
    """
    random = np.random.default_rng((seed, 6))
    limit = min(MOST_ROWS, MOST_ENTRIES // (2 * max(1, len(kinds))))
    if min(len(known), len(new), limit) < FEWEST_ROWS or not kinds:
        return None
    first, second = (_drawn(frame[list(kinds)], limit, random) for frame in (known, new))
    table = _encoded(first, second, kinds)
    label = np.repeat([0, 1], [len(first), len(second)])
    halves = random.permutation(len(label)) % 2
    found = [_ranked(table, label, halves == half, seed) for half in (0, 1)]
    area = float(np.mean([area for area, _ in found]))
    return Apart(area, min(1.0, 2 * min(chance for _, chance in found)), len(label))


def _ranked(table: pd.DataFrame, label: NDArray[np.int64], asked: NDArray[np.bool_], seed: int) -> tuple[float, float]:
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    table = pd.concat([table, _products(_factors(table), label, ~asked)], axis=1)
    given = table.loc[:, table[~asked].notna().any()]  # bins cannot be made of gaps alone
    if given.empty:
        return 0.5, 1.0
    with threadpool_limits(1):
        trees = HistGradientBoostingClassifier(**SETTINGS, random_state=seed, categorical_features="from_dtype")
        trees.fit(given[~asked], label[~asked])
        scores = trees.decision_function(given[asked])
    new, old = scores[label[asked] == 1], scores[label[asked] == 0]
    found = mannwhitneyu(new, old, alternative="greater", method="asymptotic")
    return float(found.statistic / (len(new) * len(old))), float(found.pvalue)


def _factors(table: pd.DataFrame) -> NDArray[np.float64]:
    """Return [n, factors] centred ranks and levels, 0 for a gap."""
    found = []
    for _, values in table.items():
        if isinstance(values.dtype, pd.CategoricalDtype):
            codes = values.cat.codes.to_numpy()
            found += [np.where(codes < 0, 0.0, (codes == level) - 0.5) for level in range(NAMED_LEVELS)]
        else:
            found.append(np.nan_to_num(values.to_numpy(dtype=np.float64) - 0.5))
    return np.column_stack(found[:MOST_FACTORS])


def _products(factors: NDArray[np.float64], label: NDArray[np.int64], learnt: NDArray[np.bool_]) -> pd.DataFrame:
    """Return [n, PAIRS] products of the factors whose correlation differs most between the kinds, by `learnt` rows."""
    with np.errstate(invalid="ignore", divide="ignore"):
        old, new = (np.corrcoef(factors[learnt & (label == kind)], rowvar=False) for kind in (0, 1))
    gap = np.triu(np.nan_to_num(np.abs(np.atleast_2d(new) - np.atleast_2d(old))), 1)
    place = np.argsort(-gap, axis=None, kind="stable")[:PAIRS]
    first, second = np.unravel_index(place, gap.shape)
    kept = gap[first, second] > 0
    products = factors[:, first[kept]] * factors[:, second[kept]]
    return pd.DataFrame(products, columns=[f"{a} by {b}" for a, b in zip(first[kept], second[kept], strict=True)])


def _drawn(frame: pd.DataFrame, limit: int, random: np.random.Generator) -> pd.DataFrame:
    if len(frame) <= limit:
        return frame
    return frame.iloc[np.sort(random.choice(len(frame), limit, replace=False))]


def _encoded(first: pd.DataFrame, second: pd.DataFrame, kinds: Mapping[str, str]) -> pd.DataFrame:
    """Return both, with ranks for numbers and categories for levels; gaps stay gaps."""
    columns: dict[str, Any] = {}
    for place, (name, kind) in enumerate(kinds.items()):
        parts = first[name], second[name]
        if kind == "numeric":
            columns[str(place)] = np.concatenate([_ranks(part) for part in parts])
        else:
            columns[str(place)] = _levels(pd.concat(parts, ignore_index=True))
    return pd.DataFrame(columns)


def _ranks(values: pd.Series) -> NDArray[np.float64]:
    """Return [n] ranks from 0 to 1, NaN for what is no finite number."""
    numbers = pd.Series(read_numbers(values)).replace([np.inf, -np.inf], np.nan)
    return np.asarray(numbers.rank(pct=True), dtype=np.float64)


def _levels(values: pd.Series) -> pd.Categorical:
    positions, names = read_levels(values)
    frequency = np.bincount(positions[positions >= 0], minlength=len(names))
    rank = np.empty(len(names), dtype=np.int64)
    rank[np.argsort(-frequency, kind="stable")] = np.arange(len(names))
    codes = np.where(positions < 0, -1, np.minimum(rank[positions] if len(names) else -1, MOST_LEVELS - 1))
    return pd.Categorical.from_codes(codes, categories=pd.Index([str(n) for n in range(MOST_LEVELS)], dtype="str"))
