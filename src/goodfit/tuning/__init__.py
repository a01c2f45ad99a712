"""Search for the best settings over a space of dotted options: the only importer of Optuna."""

from goodfit.tuning.faults import check_space
from goodfit.tuning.result import SearchResult
from goodfit.tuning.running import RunBatch, one_by_one
from goodfit.tuning.search import OnTrial, search
from goodfit.tuning.section import Dimension, TuneSection
from goodfit.tuning.space import Axis, Space, resolve_space
from goodfit.tuning.trial import Outcome, Proposal, Trial, derived_seed

__all__ = [
    "Axis",
    "Dimension",
    "OnTrial",
    "Outcome",
    "Proposal",
    "RunBatch",
    "SearchResult",
    "Space",
    "Trial",
    "TuneSection",
    "check_space",
    "derived_seed",
    "one_by_one",
    "resolve_space",
    "search",
]
