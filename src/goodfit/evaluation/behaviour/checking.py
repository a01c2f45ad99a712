"""What a behaviour test names and the model does not have: columns, types, classes, levels."""

import datetime
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

from goodfit.data import Column, Schema
from goodfit.errors import Fault, suggestion
from goodfit.evaluation.behaviour.definitions import Directional, Invariance, MinimumFunctionality, Scalar
from goodfit.preprocessing import Preprocessor
from goodfit.preprocessing.reading import level_name

Test = Invariance | Directional | MinimumFunctionality


def schema_faults(tests: Sequence[Test], schema: Schema) -> list[Fault]:
    """Return columns that are no features, values of a wrong type, and classes that do not exist.

    The place of a fault is `tests.<number>.<option>.<column>`.
    """
    return [fault for number, test in enumerate(tests) for fault in _of_schema(test, schema, f"tests.{number}")]


def level_faults(tests: Sequence[Test], preprocessor: Preprocessor) -> list[Fault]:
    """Return the levels that the train rows did not have."""
    levels = {coded.column: coded.levels for coded in preprocessor.coded}
    found: list[Fault] = []
    for number, test in enumerate(tests):
        if isinstance(test, Invariance):
            found += _renamed(test, levels, f"tests.{number}.rename")
        for option, values in (("when", test.when), ("set", test.set)):
            for column, value in values.items():
                if value is not None and column in levels and level_name(value) not in levels[column]:
                    place = f"tests.{number}.{option}.{column}"
                    known = suggestion(value, levels[column][:20])
                    found.append(Fault(place, "is no level of the train rows", value, known))
    return found


def _of_schema(test: Test, schema: Schema, place: str) -> Iterator[Fault]:
    features = {column.name: column for column in schema.features}
    for option, values in (("when", test.when), ("set", test.set)):
        for name, value in values.items():
            yield from _value_faults(f"{place}.{option}.{name}", name, value, features)
    if isinstance(test, Invariance):
        for name in test.rename:
            yield from _category_fault(f"{place}.rename.{name}", name, features)
    if isinstance(test, Directional):
        yield from _directional(test, schema, features, place)
    if isinstance(test, MinimumFunctionality):
        yield from _minimum(test, schema, place)


def _category_fault(place: str, name: str, features: dict[str, Column]) -> Iterator[Fault]:
    if name not in features:
        yield Fault(place, "is no feature", name, suggestion(name, features))
    elif features[name].type != "categorical":
        yield Fault(place, f"only categories have names, and it is {features[name].type}", name, "Use 'set'.")


def _renamed(test: Invariance, levels: Mapping[str, Sequence[str]], place: str) -> Iterator[Fault]:
    for column, names in test.rename.items():
        for name in dict.fromkeys([*names, *names.values()]):
            if column in levels and name not in levels[column]:
                known = suggestion(name, levels[column][:20])
                yield Fault(f"{place}.{column}", "is no level of the train rows", name, known)


def _value_faults(place: str, name: str, value: Scalar, features: dict[str, Column]) -> Iterator[Fault]:
    if name not in features:
        yield Fault(place, "is no feature", name, suggestion(name, features))
    elif value is not None and not _fits(value, features[name]):
        yield Fault(place, f"needs a {features[name].type} value", value, "null makes it missing.")


def _fits(value: Scalar, column: Column) -> bool:
    if column.type == "numeric":
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if column.type == "boolean":
        return isinstance(value, bool)
    return column.type != "datetime" or (isinstance(value, str) and _is_time(value))


def _is_time(value: str) -> bool:
    try:
        datetime.datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _directional(test: Directional, schema: Schema, features: dict[str, Column], place: str) -> Iterator[Fault]:
    for name in test.add:
        if name not in features:
            yield Fault(f"{place}.add.{name}", "is no feature", name, suggestion(name, features))
        elif features[name].type != "numeric":
            rule = f"can only add to a numeric column, and it is {features[name].type}"
            yield Fault(f"{place}.add.{name}", rule, name, "Use 'set'.")
    if schema.task == "regression" and test.of_class is not None:
        yield Fault(f"{place}.of_class", "a regression has no classes", test.of_class, "Drop it.")
    elif schema.task != "regression" and test.of_class is not None:
        yield from _class_fault(f"{place}.of_class", test.of_class, schema.classes)
    elif schema.task == "multiclass":
        yield Fault(f"{place}.of_class", "is missing: which class's probability", None, f"Known: {schema.classes}.")


def _minimum(test: MinimumFunctionality, schema: Schema, place: str) -> Iterator[Fault]:
    if schema.task == "regression" and test.expect is not None:
        yield Fault(f"{place}.expect", "a regression has no classes", test.expect, "Use 'between'.")
    if schema.task != "regression" and test.between is not None:
        yield Fault(f"{place}.between", f"fits a regression, and the task is {schema.task}", None, "Use 'expect'.")
    if schema.task != "regression" and test.expect is not None:
        yield from _class_fault(f"{place}.expect", test.expect, schema.classes)


def _class_fault(place: str, name: str, classes: Iterable[str]) -> Iterator[Fault]:
    if name not in classes:
        yield Fault(place, "unknown class", name, suggestion(name, classes))
