"""The nouns that every stage shares: a table is a frame and its schema."""

from goodfit.data.conform import conform
from goodfit.data.inference import infer_schema
from goodfit.data.schema import Column, ColumnType, Role, Schema, SchemaSection, Task
from goodfit.data.table import Table, read_frame, read_table, write_table

__all__ = [
    "Column",
    "ColumnType",
    "Role",
    "Schema",
    "SchemaSection",
    "Table",
    "Task",
    "conform",
    "infer_schema",
    "read_frame",
    "read_table",
    "write_table",
]
