"""Search for the best settings over a space of dotted options: the only importer of Optuna."""

from goodfit.tuning.axes import Axis, Space
from goodfit.tuning.batch import Batch
from goodfit.tuning.faults import check_space
from goodfit.tuning.pruners import PRUNERS
from goodfit.tuning.result import SearchResult
from goodfit.tuning.running import RunBatch, one_by_one
from goodfit.tuning.samplers import SAMPLERS
from goodfit.tuning.search import OnTrial, search
from goodfit.tuning.section import Dimension, TuneSection
from goodfit.tuning.shipped import SearchSections, written_out
from goodfit.tuning.space import resolve_space
from goodfit.tuning.starts import Start, starts_of
from goodfit.tuning.trial import Outcome, Proposal, Trial, derived_seed

__all__ = [
    "PRUNERS",
    "SAMPLERS",
    "Axis",
    "Batch",
    "Dimension",
    "OnTrial",
    "Outcome",
    "Proposal",
    "RunBatch",
    "SearchResult",
    "SearchSections",
    "Space",
    "Start",
    "Trial",
    "TuneSection",
    "check_space",
    "derived_seed",
    "one_by_one",
    "resolve_space",
    "search",
    "starts_of",
    "written_out",
]
