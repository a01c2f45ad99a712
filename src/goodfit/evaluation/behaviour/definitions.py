"""The definitions of behaviour tests, as params.yaml states them."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from goodfit.registry import Section

Scalar = str | bool | int | float | None


def _scalar(value: Any) -> Any:
    if value is not None and not isinstance(value, str | bool | int | float):
        raise ValueError("needs a text, a number, true, false or null")
    return value


Values = dict[str, Annotated[Any, AfterValidator(_scalar)]]


class _Common(Section):
    """What all behaviour tests have; each names these options too, for the reference."""

    name: str | None = Field(default=None, min_length=1)
    when: Values = {}
    set: Values = {}
    max_violations: float = Field(default=0.0, ge=0, le=1)

    @model_validator(mode="after")
    def _changes_something(self) -> "_Common":
        for problem in self.problems():
            raise ValueError(problem)
        return self

    def problems(self) -> Iterator[str]:
        """Yield what is wrong with the definition by itself."""
        if not self.set:
            yield "needs 'set': the columns to change and the values they get"

    @property
    def title(self) -> str:
        """The name, or what the test does."""
        return self.name or self.described()

    def described(self) -> str:
        """Return what the test does, in words."""
        changes = ", ".join(f"{column} = {_shown(value)}" for column, value in self.set.items())
        rows = ", ".join(f"{column} = {_shown(value)}" for column, value in self.when.items())
        return f"{changes}{f' where {rows}' if rows else ''}"


class Invariance(_Common):
    """The prediction must not move when levels are renamed, or columns are set.

    Options:
        name: what to call it; without it, what it does.
        rename: categorical column to old and new names of levels; only rows with an old one are tried.
        when: column to value: only rows that have these values are tried.
        set: column to the value that it gets; null makes it missing.
        max_violations: largest share of the tried rows that may violate it before it fails.
        tolerance: largest move that is none: in probability, or in the target's units.
    """

    kind: Literal["invariance"] = "invariance"
    rename: dict[str, Annotated[dict[str, str], Field(min_length=1)]] = {}
    tolerance: float = Field(default=0.01, ge=0)

    def problems(self) -> Iterator[str]:
        """Yield what is wrong with the definition by itself."""
        if not self.set and not self.rename:
            yield "needs 'rename' or 'set': what is changed that must not matter"
        for column in self.rename.keys() & self.set.keys():
            yield f"both renames levels of and sets '{column}'"
        for column, names in self.rename.items():
            for name in (old for old, new in names.items() if old == new):
                yield f"renames '{name}' of '{column}' to itself"

    def described(self) -> str:
        """Return what the test does, in words."""
        renamed = [f"{column} {old} -> {new}" for column, names in self.rename.items() for old, new in names.items()]
        return f"{', '.join(part for part in (*renamed, super().described().strip()) if part)} changes nothing"


class Directional(_Common):
    """The score must not move the wrong way when numbers are raised, or columns are set.

    Options:
        name: what to call it; without it, what it does.
        when: column to value: only rows that have these values are tried.
        set: column to the value that it gets; null makes it missing.
        max_violations: largest share of the tried rows that may violate it before it fails.
        add: numeric column to what is added to it.
        expect: not_lower or not_higher.
        of_class: the class whose probability is meant; without it the second of two.
        tolerance: largest move the wrong way that is none: in probability, or in the target's units.
    """

    kind: Literal["directional"] = "directional"
    add: dict[str, Annotated[float, Field(strict=True)]] = {}
    expect: Literal["not_lower", "not_higher"]
    of_class: str | None = None
    tolerance: float = Field(default=1e-6, ge=0)

    def problems(self) -> Iterator[str]:
        """Yield what is wrong with the definition by itself."""
        if not self.add and not self.set:
            yield "needs 'add' or 'set': the columns to change"
        for column in self.add.keys() & self.set.keys():
            yield f"both adds to and sets '{column}'"
        for column, amount in self.add.items():
            if amount == 0:
                yield f"adds 0 to '{column}', which changes nothing"

    def described(self) -> str:
        """Return what the test does, in words."""
        raised = ", ".join(f"{column} {amount:+g}" for column, amount in self.add.items())
        changes = ", ".join(part for part in (raised, super().described()) if part)
        return f"{changes}: score {self.expect.replace('_', ' ')}"


class MinimumFunctionality(_Common):
    """With these values the model must say this.

    Options:
        name: what to call it; without it, what it does.
        when: column to value: only rows that have these values are tried.
        set: column to the value that it gets; null makes it missing.
        max_violations: largest share of the tried rows that may violate it before it fails.
        expect: the class that must be predicted; classification only.
        between: lowest and highest value that may be predicted; regression only.
    """

    kind: Literal["minimum_functionality"] = "minimum_functionality"
    expect: str | None = None
    between: Annotated[list[float], Field(min_length=2, max_length=2)] | None = None

    def problems(self) -> Iterator[str]:
        """Yield what is wrong with the definition by itself."""
        if not self.set and not self.when:
            yield "needs 'set' or 'when': the values for which the answer is known"
        if (self.expect is None) == (self.between is None):
            yield "needs either 'expect', a class, or 'between', the lowest and highest value"
        if self.between and self.between[0] > self.between[1]:
            yield "has 'between' the wrong way round"

    def described(self) -> str:
        """Return what the test does, in words."""
        wanted = self.expect if self.between is None else f"{self.between[0]:g} to {self.between[1]:g}"
        return f"{super().described().strip()}: predicts {wanted}"


def _kind_in(value: Any) -> Any:
    return value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)


BehaviourTest = Annotated[
    Annotated[Invariance, Tag("invariance")]
    | Annotated[Directional, Tag("directional")]
    | Annotated[MinimumFunctionality, Tag("minimum_functionality")],
    Discriminator(_kind_in),
]


def _shown(value: Scalar) -> str:
    return "missing" if value is None else str(value)
