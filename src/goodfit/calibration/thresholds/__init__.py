"""Rules for the decision threshold of two classes. A new one is a file here and a line below."""

from goodfit.calibration.thresholds.base import THRESHOLDS, Counts, Threshold, rule_of  # isort: skip

from goodfit.calibration.thresholds import cost as cost
from goodfit.calibration.thresholds import fixed as fixed
from goodfit.calibration.thresholds import metric as metric
from goodfit.calibration.thresholds import precision as precision
from goodfit.calibration.thresholds import recall as recall

__all__ = ["THRESHOLDS", "Counts", "Threshold", "rule_of"]
