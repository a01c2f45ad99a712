"""What does the model cost: parameters and inputs, column by column."""

from typing import Annotated, Any

import pandas as pd
from pydantic import Field
from torch import nn

from goodfit.bundle import Bundle
from goodfit.evaluation.explaining.blocks import Block, blocks_of
from goodfit.evaluation.inspections.base import INSPECTIONS, Finding, Inspection, Subject
from goodfit.models.encoding import Encoding

BYTES_PER_NUMBER = 4
COLUMNS = ["column", "inputs", "parameters", "share_of_parameters"]


@INSPECTIONS.register("cost", tasks=("binary", "multiclass", "regression"), order=90)
class Cost(Inspection):
    """What the model costs: parameters, column by column; how long it takes to answer goes to reports/cost.json.

    Options:
        batch: rows of the batch that is timed.
        seconds: time to spend on timing a single row, and again on a batch; 0 measures nothing.
    """

    def __init__(
        self,
        *,
        batch: Annotated[int, Field(ge=1, le=1_000_000)] = 1000,
        seconds: Annotated[float, Field(ge=0, le=600)] = 0.5,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.batch, self.seconds = batch, seconds

    def inspect(self, subject: Subject) -> Finding | None:
        """Return the parameters of the model and of each column; no time, which would differ from run to run."""
        bundle = subject.bundle
        total = sum(parameter.numel() for parameter in bundle.model.parameters())
        inputs = {name: _inputs(bundle, block) for name, block in blocks_of(bundle.preprocessor).items()}
        owned = _owned(bundle, inputs)
        lines = [(name, inputs[name], count, count / total if total else 0.0) for name, count in owned.items()]
        table = pd.DataFrame(lines, columns=COLUMNS).sort_values(COLUMNS[2], ascending=False, kind="stable")
        wide, size = sum(inputs.values()), total * BYTES_PER_NUMBER / 1e6
        summary = f"{total:,} parameters, {size:.3g} MB in memory; {wide:,} inputs per row from {len(inputs)} columns."
        if lines:
            first = max(owned, key=lambda name: (owned[name], name))
            summary += f" {first} takes the most of any column, {owned[first]:,}."
        return Finding(
            "What it costs",
            summary,
            {"columns": table},
            figures={"parameters": float(total), "inputs": float(wide)},
        )


def _inputs(bundle: Bundle, block: Block) -> int:
    """Return how many numbers per row a raw column becomes behind the encoding."""
    encoding = _encoding(bundle)
    sizes = bundle.preprocessor.cardinalities
    one_hot = set(encoding.one_hot_columns.tolist()) if encoding else set()
    length = encoding.embedding if encoding else 1
    return len(block.numeric) + sum(sizes[i] if i in one_hot else length for i in block.categorical)


def _owned(bundle: Bundle, inputs: dict[str, int]) -> dict[str, int]:
    """Return the parameters that would go with each column: its rows of the first layer, and its embeddings."""
    encoding = _encoding(bundle)
    layer = next((m for m in bundle.model.modules() if isinstance(m, nn.Linear)), None)
    fits = encoding is not None and layer is not None and layer.in_features == encoding.width
    width = layer.out_features if layer is not None and fits else 0
    owned = {name: count * width for name, count in inputs.items()}
    if encoding is not None and encoding.table is not None:
        names, sizes = bundle.preprocessor.categorical_names, bundle.preprocessor.cardinalities
        for index in encoding.embedded_columns.tolist():
            owned[names[index]] += sizes[index] * encoding.embedding
    return owned


def _encoding(bundle: Bundle) -> Encoding | None:
    return next((module for module in bundle.model.modules() if isinstance(module, Encoding)), None)
