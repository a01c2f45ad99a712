"""One searched option: a range or some choices, and the condition under which it exists."""

import math
from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from goodfit.registry import Section, refuse
from goodfit.tasks import TASKS

TASK = "task"
"""What a condition names to hold for some tasks only."""
MAX_STEPS = 1_000_000
MAX_CHOICES = 1_000
MAX_WHOLE = 2**53
"""Beyond this, whole numbers are not exact in the floating-point numbers that samplers compute with."""


def _finite(value: Any) -> Any:
    """Refuse NaN and infinity once, where a union would do so for each of its members."""
    if isinstance(value, float) and not math.isfinite(value):
        refuse("is not a finite number", "Write a plain number.")
    return value


TOLERANCE = 1e-9
"""Share of a step by which a value may miss it: 3 * 0.1 is no 0.3 in floating-point numbers."""
Number = Annotated[int | float, BeforeValidator(_finite)]
Scalar = bool | int | float | str | None


class Dimension(Section):
    """What one searched option may become: a range, or one of some choices.

    Options:
        low: smallest value of a range, included.
        high: largest value of a range, included.
        log: whether to sample the range on a logarithmic scale; low must then be above 0.
        step: distance between neighbouring values of the range; null leaves a range continuous (whole numbers: 1).
        choices: the values to choose from, instead of a range.
        when: other searched options, each with the value or values that it must have for this one to exist; or `task`,
            with those of binary, multiclass and regression for which the option is searched.
        otherwise: what the option is set to where its condition does not hold; null leaves what params.yaml says.
    """

    low: Number | None = None
    high: Number | None = None
    log: bool = False
    step: Annotated[Number, Field(gt=0)] | None = None
    choices: list[Any] | None = None
    when: dict[str, Any] = Field(default_factory=dict)
    otherwise: Any = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.choices is None:
            _check_range(self)
        else:
            _check_choices(self, self.choices)
        for path, values in self.when.items():
            _check_wanted(path, values)
        if self.otherwise is not None and not self.when:
            refuse("otherwise has no condition that could fail", "Drop it, or write when.")
        if not isinstance(self.otherwise, Scalar):
            refuse(f"otherwise {self.otherwise!r} is not a plain value", "Write text, a number, true or false.")
        return self

    @property
    def ends(self) -> tuple[Number, Number]:
        """The ends of a range; an error for choices."""
        if self.low is None or self.high is None:
            raise TypeError("choices have no ends")
        return self.low, self.high

    @property
    def conditions(self) -> dict[str, list[Scalar]]:
        """Each other option that this one depends on, with the values under which it exists."""
        return {path: values if isinstance(values, list) else [values] for path, values in self.when.items()}

    def contains(self, value: Any) -> bool:
        """Return whether a sampler could have proposed this value, apart from where a step places it."""
        if self.choices is not None:
            return any(
                value == choice and isinstance(value, bool) == isinstance(choice, bool) for choice in self.choices
            )
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        low, high = self.ends
        if not low <= value <= high:
            return False
        steps = 0.0 if self.step is None else (value - low) / self.step
        return abs(steps - round(steps)) < TOLERANCE


def _check_range(dimension: Dimension) -> None:
    if dimension.low is None or dimension.high is None:
        refuse("needs low and high, or choices", "Set them.")
    low, high = dimension.ends
    if low > high:
        refuse(f"low {low} is above high {high}", "Swap them.")
    if dimension.log and low <= 0:
        refuse(f"low {low} has no logarithm", "Raise it above 0, or drop log.")
    if dimension.log and dimension.step is not None:
        refuse("log and step exclude each other", "Drop one of them.")
    _check_size(low, high)
    if dimension.step is not None:
        _check_step(low, high, dimension.step)


def _check_size(low: Number, high: Number) -> None:
    for end in (low, high):
        if isinstance(end, int) and abs(end) > MAX_WHOLE:
            refuse(f"{end} is too large for a whole number that is searched", f"Keep within ±{MAX_WHOLE}.")
    if not math.isfinite(float(high) - float(low)):
        refuse("the range is too wide for a floating-point number", "Narrow it.")


def _check_step(low: Number, high: Number, step: Number) -> None:
    width, exact = Decimal(str(high)) - Decimal(str(low)), Decimal(str(step))
    if exact > width:
        refuse(f"step {step} is larger than the range from {low} to {high}", "Lower it, or drop it.")
    if width > exact * MAX_STEPS:
        refuse(f"step {step} makes more than {MAX_STEPS:,} values", "Raise it, or drop it.")
    if steps := width % exact:
        refuse(f"high {high} is no whole number of steps above low", f"Write {Decimal(str(high)) - steps}.")


def _check_choices(dimension: Dimension, choices: list[Any]) -> None:
    mixed = [name for name in ("low", "high", "step") if getattr(dimension, name) is not None]
    if mixed or dimension.log:
        refuse(f"choices and {(mixed or ['log'])[0]} exclude each other", "Drop one of them.")
    if not choices:
        refuse("choices are empty", "List at least one.")
    if len(choices) > MAX_CHOICES:
        refuse(f"more than {MAX_CHOICES:,} choices", "Search a range instead.")
    for index, choice in enumerate(choices):
        _check_choice(choice, choices[:index])


def _check_choice(choice: Any, earlier: list[Any]) -> None:
    if not isinstance(choice, Scalar):
        refuse(f"choice {choice!r} is not a plain value", "Write text, a number, true, false or null.")
    if isinstance(choice, float) and not math.isfinite(choice):
        refuse(f"choice {choice} is not a finite number", "Write a plain number.")
    if choice in earlier:
        refuse(f"choice {choice!r} equals an earlier one", "List each value once.")


def _check_wanted(path: str, values: Any) -> None:
    listed = values if isinstance(values, list) else [values]
    if not listed:
        refuse(f"when {path} lists no value", "List at least one.")
    if path == TASK and (unknown := [value for value in listed if value not in TASKS]):
        refuse(f"when task: there is no task {unknown[0]!r}", f"Choose among {', '.join(TASKS)}.")
    for value in listed:
        if not isinstance(value, Scalar):
            refuse(f"when {path}: {value!r} is not a plain value", "Write text, a number, true, false or null.")
