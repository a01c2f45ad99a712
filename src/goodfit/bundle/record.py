"""The form of bundle.json."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import Field

from goodfit.bundle.answering import PredictionInterval, ThresholdRule
from goodfit.bundle.ensemble import Part
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


class PartRecord(Section):
    """The content of `Part`.

    Options:
        model, regularization, votes, temperature, networks: see there.
    """

    model: MODELS.section()  # type: ignore[valid-type]
    regularization: RegularizationSection  # type: ignore[valid-type]
    votes: Annotated[int, Field(ge=1, le=MOST_NETWORKS)]
    temperature: Annotated[float, Field(gt=0)]
    networks: Annotated[int, Field(ge=1, le=MOST_NETWORKS)]


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
        networks: how many networks of these options predict together; see `Ensemble`.
        parts: the models of a chosen ensemble; see `Part`.
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
    parts: Annotated[list[PartRecord], Field(max_length=MOST_NETWORKS)] = []
    trained_on: Annotated[list[Literal["train", "valid"]], Field(min_length=1, max_length=2)] = ["train"]


def part_records(parts: Iterable[Part]) -> list[PartRecord]:
    """Return the form of parts in bundle.json."""
    return [
        PartRecord(
            model=part.model_options,
            regularization=part.regularization,
            votes=part.votes,
            temperature=part.temperature,
            networks=part.networks,
        )
        for part in parts
    ]


def parts_in(record: Record) -> tuple[Part, ...]:
    """Return the models of a chosen ensemble."""
    return tuple(Part(p.model, p.regularization, p.votes, p.temperature, p.networks) for p in record.parts)


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
