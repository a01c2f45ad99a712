"""Several trained models as one: which of them, and with how many votes."""

from goodfit.ensembling.leaders import Leader, read_leaders
from goodfit.ensembling.library import Volume, assembled_of, trained
from goodfit.ensembling.section import TrainSection
from goodfit.ensembling.selection import Selection, select

__all__ = ["Leader", "Selection", "TrainSection", "Volume", "assembled_of", "read_leaders", "select", "trained"]
