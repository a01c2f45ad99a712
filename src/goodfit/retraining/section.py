"""The `retrain` section of params.yaml."""

from typing import Annotated, Literal

from pydantic import Field

from goodfit.registry import Section
from goodfit.retraining.drift_section import DriftSection
from goodfit.retraining.policies import POLICIES


class MarginSection(Section):
    """By how much a challenger must be better, by the first metric, on rows that neither has trained on.

    Options:
        rule: superior asks for a gain above the margin, surely; non_inferior for no loss beyond it, surely. Surely: the
            paired interval of `evaluate.bootstrap` lies on that side.
        by: the margin, as a share of the champion's figure; it keeps the luck of a seed from passing for progress.
    """

    rule: Literal["superior", "non_inferior"] = "superior"
    by: Annotated[float, Field(ge=0, lt=1)] = 0.01


class GuardsSection(Section):
    """What a challenger may cost beside its gain; null switches a guard off. Gates of `evaluate.gates` hold as well.

    Options:
        slices: sure loss in a slice of `evaluate.slices.columns`, as a share of the champion's figure there.
        calibration: expected calibration error above the champion's; not for regression.
        latency: times the champion's median time of a row.
        size: times the champion's size on disk.
    """

    slices: Annotated[float, Field(ge=0)] | None = 0.05
    calibration: Annotated[float, Field(ge=0, le=1)] | None = 0.02
    latency: Annotated[float, Field(gt=0)] | None = 3.0
    size: Annotated[float, Field(gt=0)] | None = None


class RetrainSection(Section):
    """When `goodfit retrain` retrains, and when a challenger becomes champion.

    Options:
        policy: when to retrain.
        cooldown_hours: hours that must lie between two versions.
        first: what the first version needs: gates asks for evaluate.gates alone, baselines also that no baseline is
            surely better.
        margin: by how much a challenger must be better.
        guards: what it may cost beside that.
        drift: when new rows count as different.
        min_test_rows: fewest test rows, unseen by both, on which the two are compared.
    """

    policy: POLICIES.section() = POLICIES["always"].options()  # type: ignore[valid-type]
    cooldown_hours: Annotated[float, Field(ge=0)] = 0.0
    first: Literal["gates", "baselines"] = "gates"
    margin: MarginSection = MarginSection()
    guards: GuardsSection = GuardsSection()
    drift: DriftSection = DriftSection()
    min_test_rows: Annotated[int, Field(ge=20)] = 100
