"""Keep a model fresh: when to retrain, champion against challenger, rollback, and the record of all that."""

from goodfit.retraining.policies import POLICIES
from goodfit.retraining.section import RetrainSection

__all__ = ["POLICIES", "RetrainSection"]
