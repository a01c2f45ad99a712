"""Behaviour tests: what a model must do whatever its metrics are (CheckList: Ribeiro et al., 2020)."""

from goodfit.evaluation.behaviour.checking import level_faults, schema_faults
from goodfit.evaluation.behaviour.definitions import BehaviourTest, Directional, Invariance, MinimumFunctionality
from goodfit.evaluation.behaviour.trying import Tried, tried

__all__ = [
    "BehaviourTest",
    "Directional",
    "Invariance",
    "MinimumFunctionality",
    "Tried",
    "level_faults",
    "schema_faults",
    "tried",
]
