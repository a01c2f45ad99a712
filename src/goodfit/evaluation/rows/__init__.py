"""Single rows: where the model is most wrong, where it is sure and wrong, and which labels are likely wrong."""

from goodfit.evaluation.rows.labels import Suspects, suspects
from goodfit.evaluation.rows.listing import listed
from goodfit.evaluation.rows.out_of_fold import out_of_fold
from goodfit.evaluation.rows.worst import worst_rows

__all__ = ["Suspects", "listed", "out_of_fold", "suspects", "worst_rows"]
