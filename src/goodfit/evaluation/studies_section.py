"""The sections of `evaluate` that ask for studies: the chosen model trained again, by part of its settings or rows."""

from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator, Field

from goodfit.registry import Section

S = TypeVar("S", bound=Section)


class AblationSection(Section):
    """What each regularizer is worth: the chosen model is trained again without one of them at a time.

    Of an ensemble it is the best settings of the search.
    `evaluate.ablation: true` stands for `{enabled: true}`.

    Options:
        enabled: whether `evaluate` does so; `goodfit ablate` does it at any time.
        seeds: trainings of each kind, from other first weights and in another order of rows.
        level: of the intervals.
    """

    enabled: bool = False
    seeds: Annotated[int, Field(ge=2, le=1000)] = 5
    level: Annotated[float, Field(gt=0.5, lt=1)] = 0.95


class LearningCurveSection(Section):
    """Would more data help: the chosen model is trained on growing shares of the train rows.

    Of an ensemble it is the best settings of the search.
    `evaluate.learning_curve: true` stands for `{enabled: true}`.

    Options:
        enabled: whether `evaluate` does so; `goodfit learning-curve` does it at any time.
        shares: of the train rows, rising; the last one is 1.
        seeds: trainings at each share, each on rows of its own choice.
        level: of the intervals.
    """

    enabled: bool = False
    shares: Annotated[list[Annotated[float, Field(gt=0, le=1)]], Field(min_length=2, max_length=50)] = [
        0.125,
        0.25,
        0.5,
        1.0,
    ]
    seeds: Annotated[int, Field(ge=2, le=1000)] = 5
    level: Annotated[float, Field(gt=0.5, lt=1)] = 0.95


def _switched(value: Any) -> Any:
    return {"enabled": value} if isinstance(value, bool) else value


AsSwitch = BeforeValidator(_switched)
"""true stands for a section that is enabled and otherwise as it is by default."""
