"""The `tune` section of params.yaml: how long to search, and over what."""

import math
from decimal import Decimal
from typing import Annotated, Any, Literal, NoReturn, Self

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from goodfit.registry import Section

MAX_STEPS = 1_000_000
MAX_CHOICES = 1_000
MAX_WHOLE = 2**53
"""Beyond this, whole numbers are not exact in the floating-point numbers that samplers compute with."""


def _finite(value: Any) -> Any:
    """Refuse NaN and infinity once, where a union would do so for each of its members."""
    if isinstance(value, float) and not math.isfinite(value):
        _refuse("is not a finite number", "Write a plain number.")
    return value


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
    """

    low: Number | None = None
    high: Number | None = None
    log: bool = False
    step: Annotated[Number, Field(gt=0)] | None = None
    choices: list[Any] | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.choices is None:
            _check_range(self)
        else:
            _check_choices(self, self.choices)
        return self

    @property
    def ends(self) -> tuple[Number, Number]:
        """The ends of a range; an error for choices."""
        if self.low is None or self.high is None:
            raise TypeError("choices have no ends")
        return self.low, self.high


class TuneSection(Section):
    """The search for the best settings.

    Options:
        trials: number of trials that must finish, completed or pruned; a failed trial is replaced. 0 means no search.
        timeout: seconds of searching, over all resumes, after which no new trial begins once one has completed.
        batch: number of trials that are proposed at once, without knowing each other's results.
        startup_trials: number of finished trials, chosen at random, before the sampler learns from them.
        max_failures: number of trials that may fail before the search gives up.
        sampler: tpe (learns from finished trials) or random.
        objective: the metric of the validation rows that is minimized.
        space: dotted option to the values it may take, below model, regularization or training.
    """

    trials: Annotated[int, Field(ge=0, le=100_000)] = 0
    timeout: Annotated[float, Field(gt=0)] | None = None
    batch: Annotated[int, Field(ge=1, le=1_024)] = 1
    startup_trials: Annotated[int, Field(ge=1)] = 8
    max_failures: Annotated[int, Field(ge=0)] = 5
    sampler: Literal["tpe", "random"] = "tpe"
    objective: Literal["valid/loss"] = "valid/loss"
    space: dict[str, Dimension] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _something_to_search(self) -> Self:
        if self.trials and not self.space:
            _refuse("has trials but no space to search", "Add options to tune.space, or set tune.trials to 0.")
        return self


def _check_range(dimension: Dimension) -> None:
    if dimension.low is None or dimension.high is None:
        _refuse("needs low and high, or choices", "Set them.")
    low, high = dimension.ends
    if low > high:
        _refuse(f"low {low} is above high {high}", "Swap them.")
    if dimension.log and low <= 0:
        _refuse(f"low {low} has no logarithm", "Raise it above 0, or drop log.")
    if dimension.log and dimension.step is not None:
        _refuse("log and step exclude each other", "Drop one of them.")
    _check_size(low, high)
    if dimension.step is not None:
        _check_step(low, high, dimension.step)


def _check_size(low: Number, high: Number) -> None:
    for end in (low, high):
        if isinstance(end, int) and abs(end) > MAX_WHOLE:
            _refuse(f"{end} is too large for a whole number that is searched", f"Keep within ±{MAX_WHOLE}.")
    if not math.isfinite(float(high) - float(low)):
        _refuse("the range is too wide for a floating-point number", "Narrow it.")


def _check_step(low: Number, high: Number, step: Number) -> None:
    width, exact = Decimal(str(high)) - Decimal(str(low)), Decimal(str(step))
    if exact > width:
        _refuse(f"step {step} is larger than the range from {low} to {high}", "Lower it, or drop it.")
    if width > exact * MAX_STEPS:
        _refuse(f"step {step} makes more than {MAX_STEPS:,} values", "Raise it, or drop it.")
    if steps := width % exact:
        _refuse(f"high {high} is no whole number of steps above low", f"Write {Decimal(str(high)) - steps}.")


def _check_choices(dimension: Dimension, choices: list[Any]) -> None:
    mixed = [name for name in ("low", "high", "step") if getattr(dimension, name) is not None]
    if mixed or dimension.log:
        _refuse(f"choices and {(mixed or ['log'])[0]} exclude each other", "Drop one of them.")
    if not choices:
        _refuse("choices are empty", "List at least one.")
    if len(choices) > MAX_CHOICES:
        _refuse(f"more than {MAX_CHOICES:,} choices", "Search a range instead.")
    for index, choice in enumerate(choices):
        _check_choice(choice, choices[:index])


def _check_choice(choice: Any, earlier: list[Any]) -> None:
    if not isinstance(choice, Scalar):
        _refuse(f"choice {choice!r} is not a plain value", "Write text, a number, true, false or null.")
    if isinstance(choice, float) and not math.isfinite(choice):
        _refuse(f"choice {choice} is not a finite number", "Write a plain number.")
    if choice in earlier:
        _refuse(f"choice {choice!r} equals an earlier one", "List each value once.")


def _refuse(rule: str, remedy: str) -> NoReturn:
    raise PydanticCustomError("rule", "{rule}", {"rule": rule, "remedy": remedy})
