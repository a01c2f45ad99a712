"""From scores to answers: temperature, decision threshold and prediction intervals, fitted on valid rows alone."""

from goodfit.calibration.fitting import calibrated, check_calibration
from goodfit.calibration.section import CalibrationSection
from goodfit.thresholds import THRESHOLDS

__all__ = ["THRESHOLDS", "CalibrationSection", "calibrated", "check_calibration"]
