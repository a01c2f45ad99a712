"""Why a model answers as it does: which columns it needs, which way they push, and one row step by step."""

from goodfit.evaluation.explaining.blocks import Block, blocks_of
from goodfit.evaluation.explaining.dependence import Dependence, partial_dependence
from goodfit.evaluation.explaining.gradients import Attribution, Attributor
from goodfit.evaluation.explaining.permutation import Importance, permutation_importance
from goodfit.evaluation.explaining.row import Explanation, explain_row

__all__ = [
    "Attribution",
    "Attributor",
    "Block",
    "Dependence",
    "Explanation",
    "Importance",
    "blocks_of",
    "explain_row",
    "partial_dependence",
    "permutation_importance",
]
