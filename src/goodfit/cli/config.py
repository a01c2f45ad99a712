"""`goodfit config`: the configuration reference, generated from the registries and the stages' sections."""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import typer
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from goodfit.cli.preflight import CommandParams, load_script
from goodfit.params import SECTIONS
from goodfit.registry import Section
from goodfit.stage.graph import read_graph

HEAD = """# Configuration

Every section of `params.yaml`, every option, its type and range, its default. `goodfit config` writes this page;
a test keeps it equal to the code. A section with kinds takes one `kind` and that kind's options.
"""
OPTION = re.compile(r"^\s*(?P<name>[\w, ]+): (?P<text>.+)$")


def config() -> None:
    """Print every section, option, default and range as Markdown."""
    typer.echo(reference(Path.cwd()), nl=False)


def reference(root: Path) -> str:
    """Return the configuration reference of the project at `root` as Markdown."""
    fields: dict[str, FieldInfo] = {}
    for stage in read_graph(root):
        for name, field in load_script(root, stage).Params.model_fields.items():
            fields[field.alias or name] = field
    fields |= CommandParams.model_fields
    parts = [HEAD]
    for name in SECTIONS:
        parts += [f"\n## {name}\n", *_section(name, fields[name])]
    return "\n".join(parts) + "\n"


def _section(path: str, field: FieldInfo) -> Iterator[str]:
    models = list(_models(field.annotation))
    if not models:
        yield f"{_kind(field)}. Default: {_default(field)}."
        return
    choices = len(models) > 1 or "kind" in models[0].model_fields
    for model in models:
        if choices:
            yield f"### `{path}.kind: {model.model_fields['kind'].default}`\n"
        yield from _options(path, model)


def _options(path: str, model: type[Section]) -> Iterator[str]:
    prose, described = _documented(model)
    yield f"{prose}\n"
    plain = {n: f for n, f in model.model_fields.items() if n != "kind" and not _nested(f) and not _many(f)}
    if plain:
        yield "| option | value | default | |\n| --- | --- | --- | --- |"
    for name, field in plain.items():
        yield f"| `{path}.{field.alias or name}` | {_kind(field)} | {_default(field)} | {described.get(name, '')} |"
    yield ""
    for name, field in model.model_fields.items():
        if name != "kind" and _nested(field):
            yield f"### {path}.{field.alias or name}\n"
            yield from _section(f"{path}.{field.alias or name}", field)
    for name, field in model.model_fields.items():
        if _many(field):
            yield f"### {path}.{field.alias or name}\n"
            yield f"A list, by default empty: {described.get(name, '')}\n"
            yield from _section(f"{path}.{field.alias or name}[]", field)


def _nested(field: FieldInfo) -> bool:
    return bool(list(_models(field.annotation))) and get_origin(field.annotation) not in (dict, list)


def _many(field: FieldInfo) -> bool:
    """Tell whether a field is a list of sections, each with a kind."""
    models = list(_models(field.annotation))
    return get_origin(field.annotation) is list and bool(models) and "kind" in models[0].model_fields


def _models(annotation: Any) -> Iterator[type[Section]]:
    if inspect.isclass(annotation) and issubclass(annotation, Section):
        yield annotation
        return
    for argument in get_args(annotation):
        yield from _models(argument)


def _documented(model: type[Section]) -> tuple[str, dict[str, str]]:
    """Return the prose of a docstring and the texts of its `Options:`."""
    prose, _, rest = inspect.cleandoc(model.__doc__ or "").partition("Options:\n")
    texts: dict[str, str] = {}
    last = ""
    for line in rest.split("\n"):
        if not line.strip():
            last = ""
            continue
        match = OPTION.match(line) if len(line) - len(line.lstrip()) == 4 else None
        if match:
            last = match["name"]
            texts[last] = match["text"]
        elif last:
            texts[last] += f" {line.strip()}"
    spread = {name.strip(): text for names, text in texts.items() for name in names.split(",")}
    return " ".join(prose.split()), {name: text.replace("|", "\\|") for name, text in spread.items()}


def _kind(field: FieldInfo) -> str:
    limits = ", ".join(text for item in field.metadata if (text := _limit(item)))
    return f"{_named(field.annotation)}{f', {limits}' if limits else ''}".replace("|", "\\|")


def _limit(item: Any) -> str:
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<", "min_length": "length ≥", "max_length": "length ≤"}
    return ", ".join(
        f"{sign} {getattr(item, name)}" for name, sign in signs.items() if getattr(item, name, None) is not None
    )


def _named(annotation: Any) -> str:
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *marks = get_args(annotation)
        limits = ", ".join(
            text for mark in marks for item in getattr(mark, "metadata", [mark]) if (text := _limit(item))
        )
        return f"{_named(inner)}{f' {limits}' if limits else ''}"
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in get_args(annotation))
    if origin in (Union, UnionType):
        return " or ".join(_named(argument) for argument in get_args(annotation))
    if origin in (list, dict):
        return f"{'list' if origin is list else 'mapping to'} of {_named(get_args(annotation)[-1])}".replace(
            "to of", "to"
        )
    names = {float: "number", int: "whole number", bool: "true or false", str: "text", type(None): "null"}
    return names.get(annotation, getattr(annotation, "__name__", str(annotation)))


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is PydanticUndefined:
        return "required"
    return f"`{'null' if value is None else str(value).lower() if isinstance(value, bool) else value}`"
