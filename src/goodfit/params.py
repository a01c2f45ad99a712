"""Read params.yaml into a stage's typed section; overlay dotted overrides.

The file is read with YAML 1.2 semantics, as DVC reads it: PyYAML would take `1e-3` for text and `no` for false.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from goodfit.errors import ConfigurationError, Fault, suggestion
from goodfit.registry import Section

MAX_BYTES = 1_000_000
MAX_NODES = 100_000
SECTIONS = (
    "seed",
    "source",
    "schema",
    "validate",
    "split",
    "model",
    "regularization",
    "training",
    "refit",
    "calibration",
    "tune",
    "evaluate",
    "retrain",
    "alerts",
    "tracking",
)
COMMANDS_OWN = ("retrain", "alerts")
"""Sections that no stage reads, only commands: DVC does not follow them, and a file may leave them out."""

Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]
P = TypeVar("P", bound=Section)


def read_yaml(path: Path) -> dict[str, Any]:
    """Read one YAML 1.2 mapping.

    Raises:
        ConfigurationError: missing, too large, not UTF-8, not YAML, not a single mapping, or an alias bomb.
    """
    try:
        content = path.read_bytes() if path.stat().st_size <= MAX_BYTES else None
    except OSError as error:
        raise _wrong(path, f"cannot be read: {error.strerror}", "Run goodfit in the folder of the project.") from error
    if content is None:
        raise _wrong(path, f"is larger than {MAX_BYTES:,} bytes", "Configuration is small; keep data elsewhere.")
    try:
        tree = YAML(typ="safe", pure=True).load(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise _wrong(path, "is not UTF-8 text", "Save it as UTF-8.") from error
    except (YAMLError, ValueError) as error:
        raise _wrong(path, f"is not valid YAML: {_one_line(error)}", "") from error
    if not isinstance(tree, dict):
        found = "empty" if tree is None else f"a {type(tree).__name__}"
        raise _wrong(
            path,
            f"must hold one mapping of sections, and is {found}",
            "Start from the file in the repository.",
        )
    _refuse_bombs(path, tree)
    return tree


def load_params(path: Path, model: type[P], overrides: Mapping[str, Any] | None = None) -> P:
    """Read the sections that `model` declares from a params file and check them all at once.

    Args:
        path: the params.yaml.
        model: the sections a stage reads, as a pydantic model whose fields are section names.
        overrides: dotted parameter to value, laid over the file (the best trial of a search, say).

    Raises:
        ConfigurationError: with every fault, by dotted path, value and way out.
    """
    tree = read_yaml(path)
    unknown = [
        Fault(f"{path.name}: {key}", "unknown section", None, suggestion(key, SECTIONS))
        for key in tree
        if key not in SECTIONS
    ]
    wanted = {key: value for key, value in tree.items() if key in fields_of(model)}
    return check(overlay(wanted, overrides or {}), model, path.name, unknown)


def check(tree: Mapping[str, Any], model: type[P], place: str, known_faults: Iterable[Fault] = ()) -> P:
    """Validate a tree of sections; `place` is the file that messages name."""
    faults = list(known_faults)
    try:
        checked = model.model_validate(dict(tree))
    except ValidationError as error:
        faults += list(_faults(error, model, place))
    if faults:
        raise ConfigurationError(faults)
    return checked


def overlay(tree: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of a nested mapping with dotted paths set; sections on the way are made where they lack."""
    result: dict[str, Any] = _copied(tree)
    for path, value in overrides.items():
        node = result
        *parents, leaf = path.split(".")
        for name in parents:
            child = node.get(name)
            node[name] = dict(child) if isinstance(child, dict) else {}
            node = node[name]
        node[leaf] = value
    return result


def dotted(section: Section | Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return every resolved option, defaults included, as one flat mapping from dotted path to value."""
    tree = section.model_dump(by_alias=True) if isinstance(section, Section) else section
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        path = f"{prefix}{key}"
        flat |= dotted(value, f"{path}.") if isinstance(value, dict) and value else {path: value}
    return flat


def fields_of(model: type[Section]) -> set[str]:
    """Return the names a section's fields have in params.yaml."""
    return {field.alias or name for name, field in model.model_fields.items()}


def _refuse_paths(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if "\0" in value:
        raise ValueError("holds a NUL byte")
    if value.startswith(("/", "~")) or ".." in Path(value).parts:
        raise ValueError("must lie inside the project; write a place outside it as a URL, file:///folder/file")
    return value


InsidePath = Annotated[str, BeforeValidator(_refuse_paths)]
"""A path relative to the project folder, or a URL; never absolute, never through `..` or `~`."""


def _wrong(path: Path, rule: str, remedy: str) -> ConfigurationError:
    return ConfigurationError([Fault(str(path), rule, None, remedy)])


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _refuse_bombs(path: Path, tree: Any) -> None:
    sizes: dict[int, int] = {}

    def size(node: Any) -> int:
        if not isinstance(node, dict | list):
            return 1
        if id(node) not in sizes:
            sizes[id(node)] = MAX_NODES + 1  # an alias inside its own anchor
            sizes[id(node)] = 1 + sum(size(child) for child in (node.values() if isinstance(node, dict) else node))
        return sizes[id(node)]

    if size(tree) > MAX_NODES:
        raise _wrong(
            path,
            f"unfolds to more than {MAX_NODES:,} values",
            "Write the values out instead of nesting aliases.",
        )


def _faults(error: ValidationError, model: type[Section], place: str) -> Iterator[Fault]:
    for item in error.errors(include_url=False):
        path, section = _named(item["loc"], model)
        where = f"{place}: {'.'.join(path)}" if path else place
        yield _fault(item, where, path[-1] if path else "", section)


def _fault(item: Any, where: str, leaf: str, section: type[Section] | None) -> Fault:
    kind, context = item["type"], item.get("ctx", {})
    if kind == "extra_forbidden":
        return Fault(where, "unknown option", None, suggestion(leaf, fields_of(section) if section else ()))
    if kind == "union_tag_invalid":
        known = [name.strip(" '") for name in context["expected_tags"].split(",")]
        return Fault(f"{where}.kind", "unknown kind", context["tag"], suggestion(context["tag"], known))
    if kind == "union_tag_not_found":
        return Fault(f"{where}.kind", "is missing", None, "Name a kind; the configuration reference lists them.")
    if kind == "rule":
        return Fault(where, context["rule"], item["input"], context["remedy"])
    if kind == "missing":
        return Fault(where, "is missing", None, "Set it.")
    message = item["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return Fault(where, message[:1].lower() + message[1:], None if item["input"] is None else item["input"])


def _named(loc: tuple[int | str, ...], model: type[Section]) -> tuple[list[str], type[Section] | None]:
    """Return a pydantic location as a dotted path without union tags, and the section that holds its last part."""
    path: list[str] = []
    sections: list[type[Section]] = [model]
    holder: type[Section] | None = model
    for part in loc:
        tagged = [s for s in sections if _kind_of(s) == part]
        if tagged and part not in fields_of(tagged[0]):
            sections = tagged
            continue
        path.append(str(part))
        holder = sections[0] if len(sections) == 1 else None
        if any(part in fields_of(section) for section in sections):  # not a key of a mapping of sections
            sections = _sections_under(sections, part)
    return path, holder


def _kind_of(section: type[Section]) -> str | None:
    field = section.model_fields.get("kind")
    return field.default if field else None


def _sections_under(sections: list[type[Section]], part: int | str) -> list[type[Section]]:
    found = []
    for section in sections:
        for name, field in section.model_fields.items():
            if part in (name, field.alias):
                found += _sections_in(field.annotation)
    return found


def _sections_in(annotation: Any) -> list[type[Section]]:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return [annotation]
    return [section for argument in getattr(annotation, "__args__", ()) for section in _sections_in(argument)]


def _copied(node: Any) -> Any:
    if isinstance(node, Mapping):
        return {key: _copied(value) for key, value in node.items()}
    return node
