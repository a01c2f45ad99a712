"""Ways to split a table into train, valid and test, and the checks that nothing leaks between them."""

from typing import TYPE_CHECKING

from goodfit.registry import Section
from goodfit.splits.base import NAMES, SPLITS, Split
from goodfit.splits.group import GroupSplit
from goodfit.splits.hashed import HashedSplit
from goodfit.splits.leakage import Check, find_leaks, refuse_leaks
from goodfit.splits.parts import Parts, headline, split_table
from goodfit.splits.predefined import PredefinedSplit
from goodfit.splits.random import RandomSplit
from goodfit.splits.stratified import StratifiedSplit
from goodfit.splits.time import TimeSplit

if TYPE_CHECKING:
    SplitSection = Section
else:
    SplitSection = SPLITS.section()

__all__ = [
    "NAMES",
    "SPLITS",
    "Check",
    "GroupSplit",
    "HashedSplit",
    "Parts",
    "PredefinedSplit",
    "RandomSplit",
    "Split",
    "SplitSection",
    "StratifiedSplit",
    "TimeSplit",
    "find_leaks",
    "headline",
    "refuse_leaks",
    "split_table",
]
