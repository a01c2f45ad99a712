"""Metrics: how well predictions fit targets. A new one is a file here and a line below."""

from goodfit.metrics.base import METRICS, Direction, Metric, Needs, Weighted  # isort: skip
from goodfit.metrics import accuracy as accuracy
from goodfit.metrics import average_precision as average_precision
from goodfit.metrics import balanced_accuracy as balanced_accuracy
from goodfit.metrics import brier as brier
from goodfit.metrics import f1 as f1
from goodfit.metrics import log_loss as log_loss
from goodfit.metrics import macro_f1 as macro_f1
from goodfit.metrics import mae as mae
from goodfit.metrics import mape as mape
from goodfit.metrics import mcc as mcc
from goodfit.metrics import median_absolute_error as median_absolute_error
from goodfit.metrics import precision as precision
from goodfit.metrics import r2 as r2
from goodfit.metrics import recall as recall
from goodfit.metrics import rmse as rmse
from goodfit.metrics import roc_auc as roc_auc

__all__ = ["METRICS", "Direction", "Metric", "Needs", "Weighted"]
