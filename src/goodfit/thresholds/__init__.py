"""Rules for the decision threshold of two classes. A new one is a file here and a line below."""

from goodfit.thresholds.base import THRESHOLDS, Counts, Threshold, rule_of, threshold_by  # isort: skip

from goodfit.thresholds import cost as cost
from goodfit.thresholds import fixed as fixed
from goodfit.thresholds import metric as metric
from goodfit.thresholds import precision as precision
from goodfit.thresholds import recall as recall

__all__ = ["THRESHOLDS", "Counts", "Threshold", "rule_of", "threshold_by"]
