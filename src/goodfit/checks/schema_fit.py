"""Does the `schema` section fit the table? Asked before any rule of the suite is."""

import pandas as pd

from goodfit.data import SchemaSection, infer_schema
from goodfit.errors import DataError, Fault


def schema_fault(frame: pd.DataFrame, schema: SchemaSection) -> DataError | None:
    """Return why nothing can be learnt from the target, or None.

    Raises:
        ConfigurationError: the section names columns that are not there, or a task that the target does not pose.
        DataError: a column name occurs more than once.
    """
    repeated = frame.columns[frame.columns.duplicated()].unique()
    if len(repeated):
        faults = [Fault(f"column '{name}'", "occurs more than once", None, "Rename one of them.") for name in repeated]
        raise DataError(faults)
    try:
        infer_schema(frame, schema)
    except DataError as error:
        return error
    return None
