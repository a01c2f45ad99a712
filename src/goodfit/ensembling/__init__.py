"""Several trained models as one: which of them, and with how many votes."""

from goodfit.ensembling.leaders import Leader, read_leaders
from goodfit.ensembling.library import OWN, Volume, assembled_of, mates, refitted, trained
from goodfit.ensembling.section import TrainSection
from goodfit.ensembling.selection import Selection, alike, select

__all__ = [
    "OWN",
    "Leader",
    "Selection",
    "TrainSection",
    "Volume",
    "alike",
    "assembled_of",
    "mates",
    "read_leaders",
    "refitted",
    "select",
    "trained",
]
