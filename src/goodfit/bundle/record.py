"""The form of bundle.json."""

from typing import Annotated, Any, Literal

from pydantic import Field

from goodfit.bundle.answering import PredictionInterval, ThresholdRule
from goodfit.models import MODELS
from goodfit.registry import Section
from goodfit.regularizers import RegularizationSection

FORMAT = 1
MOST_NETWORKS = 100


class RuleRecord(Section):
    """The content of `ThresholdRule`.

    Options:
        kind, options, value, reached, rows: see there.
    """

    kind: str
    options: dict[str, float | str]
    value: float | None
    reached: bool
    rows: int


class IntervalRecord(Section):
    """The content of `PredictionInterval`.

    Options:
        coverage, edges, half_widths: see there.
    """

    coverage: Annotated[float, Field(gt=0, lt=1)]
    edges: list[float]
    half_widths: Annotated[list[Annotated[float, Field(ge=0)]], Field(min_length=1)]


class Record(Section):
    """The content of bundle.json.

    Options:
        format: version of this form.
        model: options of the model, kind included.
        regularization: settings of every regularizer.
        columns: the schema, as `Schema.to_dict` gives it.
        preprocessor: the fitted state, as `Preprocessor.to_dict` gives it.
        threshold: see `Bundle`.
        temperature: see `Bundle`.
        rule: see `ThresholdRule`; bundles that were written before there were rules have none.
        interval: see `PredictionInterval`; older bundles have none.
        networks: how many networks predict together; see `Ensemble`.
        trained_on: see `Bundle`; older bundles do not say, and were trained on train rows alone.
    """

    format: Annotated[int, Field(ge=FORMAT, le=FORMAT)] = FORMAT
    model: MODELS.section()  # type: ignore[valid-type]
    regularization: RegularizationSection  # type: ignore[valid-type]
    columns: dict[str, Any]
    preprocessor: dict[str, Any]
    threshold: Annotated[float, Field(ge=0, le=1)]
    temperature: Annotated[float, Field(gt=0)]
    rule: RuleRecord | None = None
    interval: IntervalRecord | None = None
    networks: Annotated[int, Field(ge=1, le=MOST_NETWORKS)] = 1
    trained_on: Annotated[list[Literal["train", "valid"]], Field(min_length=1, max_length=2)] = ["train"]


def rule_in(record: Record) -> ThresholdRule | None:
    """Return how the threshold was chosen."""
    return None if record.rule is None else ThresholdRule(**record.rule.model_dump())


def interval_in(record: Record) -> PredictionInterval | None:
    """Return the prediction intervals; raise ValueError where their parts do not fit together."""
    if record.interval is None:
        return None
    found = record.interval
    if sorted(found.edges) != found.edges or len(found.half_widths) != len(found.edges) + 1:
        raise ValueError("its interval needs rising edges, and one half-width more than edges")
    return PredictionInterval(found.coverage, tuple(found.edges), tuple(found.half_widths))
