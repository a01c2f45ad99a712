"""Decide what each column is, from its values and the `schema` section; never from its name."""

import pandas as pd
from pandas.api import types as kinds

from goodfit.data.schema import Column, ColumnType, Role, Schema, SchemaSection, Task
from goodfit.errors import ConfigurationError, DataError, Fault, suggestion

MAX_INTEGER_CLASSES = 20
PLACE = "params.yaml: schema"


def infer_schema(frame: pd.DataFrame, section: SchemaSection) -> Schema:
    """Infer column types, apply the overrides, give each column its role, and settle the task.

    Args:
        frame: all rows, before the split; only types are taken from it, never statistics.
        section: the `schema` section of params.yaml.

    Raises:
        ConfigurationError: a named column does not exist or has two roles, or the task does not fit the target.
        DataError: the target is empty or has a single class.
    """
    faults = _name_faults(frame, section)
    if faults:
        raise ConfigurationError(faults)
    roles = _roles(section)
    columns = tuple(
        Column(name, section.types.get(name) or column_type(frame[name]), roles.get(name, "feature"))
        for name in map(str, frame.columns)
    )
    if not any(column.role == "feature" for column in columns):
        raise ConfigurationError([Fault(PLACE, "leaves no feature column", None, "Ignore fewer columns.")])
    target = frame[section.target]
    if not target.notna().any():
        raise DataError(
            [
                Fault(
                    f"column '{section.target}'",
                    "is the target and has no value at all",
                    None,
                    "Name another target in schema.target.",
                )
            ]
        )
    task = _task(target, next(c for c in columns if c.role == "target").type, section)
    return Schema(columns, task, () if task == "regression" else class_names(target))


def column_type(values: pd.Series) -> ColumnType:
    """Return the type of one column by its dtype."""
    if kinds.is_bool_dtype(values.dtype):
        return "boolean"
    if kinds.is_datetime64_any_dtype(values.dtype):
        return "datetime"
    if kinds.is_numeric_dtype(values.dtype):
        return "numeric"
    return "categorical"


def class_names(target: pd.Series) -> tuple[str, ...]:
    """Return the classes of a target as text, in sorted order (numbers by value), missing values left out."""
    return tuple(str(value) for value in sorted(target.dropna().unique()))


def _task(target: pd.Series, kind: ColumnType, section: SchemaSection) -> Task:
    classes = target.nunique(dropna=True)
    _refuse_what_cannot_be_learnt(classes, len(target), kind, section)
    whole = kind == "numeric" and bool((target.dropna() % 1 == 0).all())
    if section.task == "infer":
        if kind == "numeric" and not (whole and classes <= MAX_INTEGER_CLASSES):
            return "regression"
        return _at_least_two("binary" if classes <= 2 else "multiclass", classes, section)
    if section.task == "regression":
        if kind != "numeric":
            raise ConfigurationError(
                [
                    Fault(
                        f"{PLACE}.task",
                        f"regression needs a numeric target, and '{section.target}' is {kind}",
                        "regression",
                        "Use binary or multiclass.",
                    )
                ]
            )
        return "regression"
    if section.task == "binary" and classes > 2:
        raise ConfigurationError(
            [
                Fault(
                    f"{PLACE}.task",
                    f"binary needs 2 classes, and '{section.target}' has {classes}",
                    "binary",
                    "Use multiclass.",
                )
            ]
        )
    if kind == "numeric" and not whole:
        raise ConfigurationError(
            [
                Fault(
                    f"{PLACE}.task",
                    f"'{section.target}' holds fractions, which are no classes",
                    section.task,
                    "Use regression.",
                )
            ]
        )
    return _at_least_two(section.task, classes, section)


def _refuse_what_cannot_be_learnt(classes: int, rows: int, kind: ColumnType, section: SchemaSection) -> None:
    if kind == "datetime":
        rule = f"'{section.target}' holds moments, which are neither classes nor quantities"
    elif kind == "categorical" and classes > max(MAX_INTEGER_CLASSES, rows // 2):
        rule = f"'{section.target}' holds {classes:,} different texts in {rows:,} rows, which are no classes"
    else:
        return
    remedy = "Name another target, or give its type under schema.types."
    raise ConfigurationError([Fault(f"{PLACE}.target", rule, None, remedy)])


def _at_least_two(task: Task, classes: int, section: SchemaSection) -> Task:
    if classes < 2:
        raise DataError(
            [
                Fault(
                    f"column '{section.target}'",
                    "is the target and holds a single class: there is nothing to learn",
                    None,
                    "Name another target in schema.target, or get rows of the other class.",
                )
            ]
        )
    return task


def _roles(section: SchemaSection) -> dict[str, Role]:
    roles: dict[str, Role] = dict.fromkeys(section.ignore, "ignore")
    roles |= dict.fromkeys(section.id, "id")
    roles |= {section.group: "group"} if section.group else {}
    roles |= {section.time: "time"} if section.time else {}
    return roles | {section.target: "target"}


def _name_faults(frame: pd.DataFrame, section: SchemaSection) -> list[Fault]:
    named = [("target", section.target)]
    named += [("ignore", name) for name in section.ignore] + [("id", name) for name in section.id]
    named += [(role, name) for role, name in (("group", section.group), ("time", section.time)) if name]
    columns = list(map(str, frame.columns))
    typed = [(f"types.{name}", name) for name in section.types]
    faults = [
        Fault(f"{PLACE}.{role}", f"the data have no column '{name}'", None, suggestion(name, columns))
        for role, name in named + typed
        if name not in columns
    ]
    seen: dict[str, str] = {}
    for role, name in named:
        if name in seen:
            faults.append(
                Fault(
                    f"{PLACE}.{role}",
                    f"'{name}' already is '{seen[name]}'",
                    None,
                    "Give each column one role.",
                )
            )
        seen[name] = role
    return faults
