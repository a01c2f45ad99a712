"""The sections of params.yaml that retraining reads."""

from pydantic import Field

from goodfit.data import SchemaSection
from goodfit.evaluation import EvaluateSection
from goodfit.params import Seed
from goodfit.registry import Section
from goodfit.retraining.section import RetrainSection
from goodfit.sources import SourceSection
from goodfit.splits import SplitSection
from goodfit.tracking import TrackingSection


class RetrainParams(Section):
    """What decides when to retrain, and who is champion."""

    seed: Seed
    source: SourceSection
    schema_: SchemaSection = Field(alias="schema")
    split: SplitSection
    evaluate: EvaluateSection = EvaluateSection()
    retrain: RetrainSection = RetrainSection()
    tracking: TrackingSection
