"""What the columns mean: their types, their roles, and the task that the target poses."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from pydantic import Field

from goodfit.registry import Section

ColumnType = Literal["numeric", "categorical", "boolean", "datetime"]
Role = Literal["feature", "target", "id", "group", "time", "ignore"]
Task = Literal["binary", "multiclass", "regression"]


class SchemaSection(Section):
    """The `schema` section of params.yaml: what cannot be seen from the data alone.

    Options:
        target: the column to predict.
        above: turns a numeric target into two classes: whether it lies above this value.
        task: binary, multiclass or regression; `infer` decides by the target's values and says so.
        ignore: columns that no stage may use.
        id: columns that name a row; never features, never inputs of the duplicate check.
        group: the column whose rows must stay on one side of the split.
        time: the column that orders the rows.
        types: column to numeric, categorical, boolean or datetime, where inference is not right.
    """

    target: str = Field(min_length=1)
    above: float | None = None
    task: Literal["infer", "binary", "multiclass", "regression"] = "infer"
    ignore: list[str] = []
    id: list[str] = []
    group: str | None = None
    time: str | None = None
    types: dict[str, ColumnType] = {}


@dataclass(frozen=True)
class Column:
    """One column: its name in the file, its type, and what it is for."""

    name: str
    type: ColumnType
    role: Role


@dataclass(frozen=True)
class Schema:
    """The columns in file order, the task, and for classification the classes in their order (as text)."""

    columns: tuple[Column, ...]
    task: Task
    classes: tuple[str, ...] = ()

    @property
    def target(self) -> Column:
        """The column to predict."""
        return next(column for column in self.columns if column.role == "target")

    @property
    def features(self) -> tuple[Column, ...]:
        """The columns a model may see, in file order."""
        return tuple(column for column in self.columns if column.role == "feature")

    def names(self, role: Role) -> list[str]:
        """Return the names of the columns with a role, in file order."""
        return [column.name for column in self.columns if column.role == role]

    def to_dict(self) -> dict[str, Any]:
        """Return the schema as JSON-able values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> "Schema":
        """Rebuild a schema from `to_dict`."""
        columns = tuple(Column(**column) for column in value["columns"])
        return cls(columns, value["task"], tuple(value["classes"]))
