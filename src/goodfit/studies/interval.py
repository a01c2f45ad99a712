"""The mean of a few trainings, and how sure it is."""

import math
from collections.abc import Sequence

import numpy as np
from scipy import stats

from goodfit.evaluation import Estimate


def mean_interval(values: Sequence[float], level: float) -> Estimate:
    """Return the mean of independent values with Student's interval for it; without one for fewer than two.

    Source: Student, The Probable Error of a Mean, Biometrika 6, 1908. The values are of trainings from other seeds, so
    the interval says how sure the mean over seeds is on these rows; other rows would move it more.

    Args:
        values: [n].
        level: share of intervals that hold the true mean.
    """
    mean = float(np.mean(values)) if len(values) else math.nan
    if len(values) < 2:
        return Estimate(mean, math.nan, math.nan)
    error = float(np.std(values, ddof=1)) / math.sqrt(len(values))
    reach = float(stats.t.ppf((1 + level) / 2, len(values) - 1)) * error
    return Estimate(mean, mean - reach, mean + reach)
