"""Name a component, check its options against its signature, build it.

A member's *positional* parameters are what the pipeline hands it at run time; its *keyword-only* parameters are what
params.yaml may set. Their annotations are the rules and their defaults are the only home of those defaults. A
constructor that takes `**options` also has its base's. What options must fulfil together, a member says in a static
method `check_options(options) -> list[Fault]`, whose places are option names; it runs when params.yaml is loaded.
"""

import inspect
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Literal, NoReturn, TypeVar, Union, get_args, get_origin, get_type_hints

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Tag,
    ValidationError,
    create_model,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from goodfit.errors import Fault

T = TypeVar("T")


class Section(BaseModel):
    """A part of params.yaml: frozen, without unknown keys, and without silent conversions of type."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, protected_namespaces=())

    @field_validator("*", mode="before")
    @classmethod
    def _refuse_coercion(cls, value: Any, info: Any) -> Any:
        _check_scalars(value, _atoms(cls.model_fields[info.field_name].annotation))
        return value


@dataclass(frozen=True)
class Member(Generic[T]):
    """One registered component: its class, the model of its options, and the facts its registration states."""

    kind: str
    cls: type[T]
    options: type[Section]
    facts: Mapping[str, Any]


class Registry(Generic[T]):
    """The members of one family, by kind.

    Args:
        family: singular name for messages, e.g. "model".
    """

    def __init__(self, family: str) -> None:
        self.family = family
        self._members: dict[str, Member[T]] = {}

    def register(self, kind: str, **facts: Any) -> Callable[[type[T]], type[T]]:
        """Return a class decorator that adds the class under `kind`; facts about it belong here alone."""

        def add(cls: type[T]) -> type[T]:
            if kind in self._members:
                raise ValueError(f"{self.family} '{kind}' is registered twice; choose another kind")
            self._members[kind] = Member(kind, cls, _options_model(kind, cls), facts)
            return cls

        return add

    def __getitem__(self, kind: str) -> Member[T]:
        return self._members[kind]

    def __contains__(self, kind: object) -> bool:
        return kind in self._members

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._members))

    def __len__(self) -> int:
        return len(self._members)

    def section(self) -> Any:
        """Return the annotation of a params field that chooses one member by `kind` and sets its options."""
        choices = tuple(Annotated[self._members[kind].options, Tag(kind)] for kind in self)
        return Annotated[Union[choices], Discriminator(_kind_in)]  # noqa: UP007  (built at run time)

    def fields(self) -> type[Section]:
        """Return a section with one field per member, its options; for a family whose members act side by side."""
        models = {kind: _options_model(None, self._members[kind].cls) for kind in self}
        fields: dict[str, Any] = {kind: (model, model()) for kind, model in models.items()}
        return create_model(f"{self.family.title()}Fields", __base__=Section, **fields)

    def build(self, options: Section, *runtime: Any) -> T:
        """Build the member that `options` (an instance of its options model) describes."""
        chosen = {name: getattr(options, name) for name in type(options).model_fields}
        return self._members[chosen.pop("kind")].cls(*runtime, **chosen)


def option_names(cls: type) -> list[str]:
    """Return the keyword-only parameters of a class: what params.yaml may set."""
    return list(_option_fields(cls))


def _option_fields(cls: type) -> dict[str, Any]:
    """Return option name to (annotation, default); a constructor with `**options` also has those of its base."""
    fields: dict[str, Any] = {}
    for owner in _option_owners(cls):
        constructor = vars(owner).get("__init__")
        if constructor is None:
            continue
        hints = get_type_hints(constructor, include_extras=True)
        for p in inspect.signature(constructor).parameters.values():
            if p.kind is inspect.Parameter.KEYWORD_ONLY:
                fields.setdefault(p.name, (hints[p.name], ... if p.default is inspect.Parameter.empty else p.default))
    return fields


def _option_owners(cls: type) -> Iterator[type]:
    """Yield the class and its bases, as far as constructors pass `**options` on."""
    for owner in cls.__mro__[:-1]:
        yield owner
        constructor = vars(owner).get("__init__")
        if constructor is None:
            continue
        if not any(p.kind is inspect.Parameter.VAR_KEYWORD for p in inspect.signature(constructor).parameters.values()):
            return


def _documentation(cls: type) -> str:
    """Return the docstring of a class, with the `Options:` of its bases behind its own."""
    own, *inherited = (inspect.cleandoc(vars(owner).get("__doc__") or "") for owner in _option_owners(cls))
    prose, _, options = own.partition("Options:\n")
    texts = [options, *(text.partition("Options:\n")[2] for text in inherited)]
    listed = "\n".join(text.rstrip() for text in texts if text.strip())
    return f"{prose.rstrip()}\n\nOptions:\n{listed}" if listed else own


def _options_model(kind: str | None, cls: type) -> type[Section]:
    named: dict[str, Any] = {} if kind is None else {"kind": (Literal[kind], kind)}
    fields = named | _option_fields(cls)
    validators: dict[str, Any] = {}
    if hasattr(cls, "check_options"):
        validators["_check_together"] = model_validator(mode="after")(_together(cls.check_options))
    return create_model(
        f"{cls.__name__}Options", __base__=Section, __doc__=_documentation(cls), __validators__=validators, **fields
    )


def _together(rule: Callable[[Any], Iterable[Fault]]) -> Callable[[Any], Any]:
    """Return a validator for what options must fulfil together: each fault's place is the name of an option."""

    def check(options: Any) -> Any:
        faults = list(rule(options))
        if faults:
            raise ValidationError.from_exception_data(type(options).__name__, [_details(f) for f in faults])
        return options

    return check


def _details(fault: Fault) -> InitErrorDetails:
    said = PydanticCustomError("rule", "{rule}", {"rule": fault.rule, "remedy": fault.remedy})
    return InitErrorDetails(type=said, loc=(fault.place,), input=fault.value)


def _kind_in(value: Any) -> Any:
    kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
    return kind if kind is None or isinstance(kind, str) else str(kind)


def _atoms(annotation: Any) -> set[Any]:
    """Return the scalar types that an annotation admits, through unions, Annotated and containers."""
    origin = get_origin(annotation)
    if origin is Literal:
        return {type(value) for value in get_args(annotation)}
    if origin is Annotated:
        return _atoms(get_args(annotation)[0])
    if origin in (Union, types.UnionType, list, dict, tuple):
        return set().union(*(_atoms(argument) for argument in get_args(annotation)))
    return {annotation}


def _check_scalars(value: Any, atoms: set[Any]) -> None:
    if isinstance(value, list):
        for item in value:
            _check_scalars(item, atoms)
        return
    numbers = atoms & {int, float}
    if isinstance(value, bool) and numbers and bool not in atoms:
        raise PydanticCustomError("no_coercion", "needs a number, not a truth value")
    if isinstance(value, str) and atoms <= {int, float, bool, type(None)}:
        raise PydanticCustomError("no_coercion", "needs {wanted}, not text", {"wanted": _wanted(atoms)})
    if isinstance(value, float) and int in atoms and float not in atoms:
        raise PydanticCustomError("no_coercion", "needs a whole number")
    if isinstance(value, int | float) and not isinstance(value, bool) and atoms <= {bool, type(None)}:
        raise PydanticCustomError("no_coercion", "needs true or false")


def _wanted(atoms: set[Any]) -> str:
    if atoms & {int, float}:
        return "a number"
    return "true or false"


def refuse(rule: str, remedy: str) -> NoReturn:
    """Raise what becomes a fault with a way out."""
    raise PydanticCustomError("rule", "{rule}", {"rule": rule, "remedy": remedy})
