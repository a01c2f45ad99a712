"""Gates: conditions that a candidate must meet. A new one is a file here and a line below."""

from goodfit.evaluation.gates.base import GATES, Evidence, Gate, Known, Outcome  # isort: skip
from goodfit.evaluation.gates import baseline as baseline
from goodfit.evaluation.gates import calibration as calibration
from goodfit.evaluation.gates import finding as finding
from goodfit.evaluation.gates import gap as gap
from goodfit.evaluation.gates import latency as latency
from goodfit.evaluation.gates import metric as metric
from goodfit.evaluation.gates import size as size
from goodfit.evaluation.gates import slices as slices

__all__ = ["GATES", "Evidence", "Gate", "Known", "Outcome"]
