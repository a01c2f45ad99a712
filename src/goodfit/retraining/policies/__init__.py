"""Policies: when to retrain. A new one is a file here and a line below."""

from goodfit.retraining.policies.base import POLICIES, Policy, Quality, Situation, Verdict  # isort: skip
from goodfit.retraining.policies import age as age
from goodfit.retraining.policies import always as always
from goodfit.retraining.policies import drift as drift
from goodfit.retraining.policies import new_rows as new_rows
from goodfit.retraining.policies import quality as quality

__all__ = ["POLICIES", "Policy", "Quality", "Situation", "Verdict"]
