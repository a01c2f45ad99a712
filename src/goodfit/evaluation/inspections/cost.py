"""What does the model cost: parameters and inputs, column by column."""

from collections.abc import Sequence
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
        networks, blocks = _networks(bundle), blocks_of(bundle.preprocessor)
        inputs = {name: _inputs(networks, block) for name, block in blocks.items()}
        owned = {name: _owned(networks, block) for name, block in blocks.items()}
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


def _inputs(networks: Sequence[tuple[Encoding, int]], block: Block) -> int:
    """Return how many numbers per row a raw column becomes behind the encoding of the network that makes most of it."""
    alone = len(block.numeric) + len(block.categorical)
    return max((len(one.outputs_of(block.numeric, block.categorical)) for one, _ in networks), default=alone)


def _owned(networks: Sequence[tuple[Encoding, int]], block: Block) -> int:
    """Return the parameters that would go with a column: its rows of each first layer, and what it is embedded with."""
    columns = block.numeric, block.categorical
    return sum(len(one.outputs_of(*columns)) * width + one.parameters_of(*columns) for one, width in networks)


def _networks(bundle: Bundle) -> list[tuple[Encoding, int]]:
    """Return the encoding of each network and how wide its first layer is, 0 where that takes other inputs."""
    found: list[tuple[Encoding, int]] = []
    fresh = False
    for module in bundle.model.modules():  # in the order in which they were made: a layer follows its encoding
        if isinstance(module, Encoding):
            found.append((module, 0))
            fresh = True
        elif fresh and isinstance(module, nn.Linear):
            fresh = False
            encoding = found[-1][0]
            found[-1] = (encoding, module.out_features if module.in_features == encoding.width else 0)
    return found
