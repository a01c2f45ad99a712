"""A model's signature and input example, from a few raw rows."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from goodfit.files import read_json
from goodfit.tracking.model import column_type

if TYPE_CHECKING:
    import pandas as pd

ROWS = 5


def describe(example: "pd.DataFrame", classes: tuple[str, ...], *, interval: bool = False) -> dict[str, Any]:
    """Return the MLflow types of the raw columns, those of the predictions, and the rows in split orient.

    Args:
        example: a few raw rows with the feature columns only.
        classes: of a classification, in order; empty for a regression.
        interval: whether predictions come with the ends of an interval.
    """
    return {
        "inputs": [[str(name), column_type(dtype)] for name, dtype in example.dtypes.items()],
        "outputs": [["prediction", "string" if classes else "double"]]
        + [[f"probability_{name}", "double"] for name in classes]
        + [[end, "double"] for end in ("low", "high") if interval],
        "example": json.loads(example.to_json(orient="split", index=False, date_format="iso")),
    }


def has_interval(bundle: Path) -> bool:
    """Tell whether the model in a bundle's folder gives prediction intervals."""
    return read_json(bundle / "bundle.json").get("interval") is not None


def describe_table(train: Path, *, interval: bool = False) -> dict[str, Any]:
    """Describe from the first rows of a train table (Parquet with goodfit's schema)."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from goodfit.data.schema import Schema
    from goodfit.data.table import METADATA_KEY, to_pandas

    file = pq.ParquetFile(train)
    schema = Schema.from_dict(json.loads(file.schema_arrow.metadata[METADATA_KEY]))
    features = [column.name for column in schema.features]
    batch = next(file.iter_batches(ROWS, columns=features))
    return describe(to_pandas(pa.Table.from_batches([batch]))[features], schema.classes, interval=interval)
