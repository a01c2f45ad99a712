"""One row from its raw values through preprocessing to the prediction, and what each column contributed."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from goodfit.bundle import Bundle
from goodfit.evaluation.explaining.blocks import Block, blocks_of
from goodfit.evaluation.explaining.gradients import Attribution, Attributor
from goodfit.preprocessing import Arrays
from goodfit.preprocessing.encoders import MISSING_CODE, UNKNOWN_CODE

BLOCK = 8192
"""Rows that a bundle predicts at once: a row's block gives the same bits as the whole table."""
BACKGROUND = 1000


@dataclass(frozen=True)
class Step:
    """One column's way into the model.

    Args:
        column: the raw column.
        raw: its value as text, None where missing.
        treatment: what preprocessing made of it, in words.
        prepared: prepared column to its number, to the last bit.
        contribution: to the score; see `Attribution`.
    """

    column: str
    raw: str | None
    treatment: str
    prepared: dict[str, float]
    contribution: float


@dataclass(frozen=True)
class Explanation:
    """One row, explained.

    Args:
        row: its number in the table, from 0.
        prediction: class to probability, or the target's name to the value; the same bits as in the whole table.
        decision: the class; None in a regression.
        actual: the target as text, None where missing.
        explained: what the score is of, in words.
        score, average, error: see `Attribution`.
        steps: the columns that the model sees, the largest contribution first.
        unused: feature columns that the model does not see.
    """

    row: int
    prediction: dict[str, float]
    decision: str | None
    actual: str | None
    explained: str
    score: float
    average: float
    error: float
    steps: list[Step]
    unused: list[str]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-able values."""
        return asdict(self)


def explain_row(bundle: Bundle, frame: pd.DataFrame, row: int, background: pd.DataFrame) -> Explanation:
    """Explain one row of a table.

    Args:
        bundle: the model.
        frame: raw rows.
        row: which one, from 0.
        background: raw train rows; contributions are told from their average.
    """
    first = row // BLOCK * BLOCK
    arrays = bundle.preprocessor.transform(frame.iloc[first : first + BLOCK])
    said = bundle.answers(arrays)[row - first]
    single = Arrays(arrays.numeric[[row - first]], arrays.categorical[[row - first]])
    output, explained = _explained(bundle, said)
    thinned = background.iloc[:: max(1, len(background) // BACKGROUND)].head(BACKGROUND)
    found = Attributor(bundle, bundle.preprocessor.transform(thinned)).attribute(single, output)
    target, schema = bundle.schema.target.name, bundle.schema
    regression = schema.task == "regression"
    names = [target] if regression else list(schema.classes)
    blocks = blocks_of(bundle.preprocessor)
    return Explanation(
        row=row,
        prediction=dict(zip(names, np.atleast_1d(said).tolist(), strict=True)),
        decision=None if regression else schema.classes[int(bundle.decide(said[None])[0])],
        actual=_text(frame[target].iloc[row]) if target in frame else None,
        explained=explained,
        score=found.score,
        average=found.average,
        error=found.error,
        steps=_steps(bundle, frame.iloc[row], single, blocks, found),
        unused=[column.name for column in schema.features if column.name not in blocks],
    )


def _explained(bundle: Bundle, said: NDArray[Any]) -> tuple[int, str]:
    if bundle.task == "regression":
        return 0, bundle.schema.target.name
    if bundle.task == "binary":
        return 0, f"log odds of {bundle.schema.classes[1]}"
    best = int(said.argmax())
    return best, f"log odds of {bundle.schema.classes[best]}"


def _steps(
    bundle: Bundle, raw: "pd.Series[Any]", single: Arrays, blocks: dict[str, Block], found: Attribution
) -> list[Step]:
    names = bundle.preprocessor.numeric_names
    steps = []
    for column, block in blocks.items():
        prepared = {names[i]: float(single.numeric[0, i]) for i in block.numeric}
        prepared |= {f"{column}.code": float(single.categorical[0, i]) for i in block.categorical}
        codes = [int(single.categorical[0, i]) for i in block.categorical]
        treatment = _treatment(bundle, column, codes, pd.isna(raw[column]))
        steps.append(Step(column, _text(raw[column]), treatment, prepared, found.contributions[column]))
    return sorted(steps, key=lambda step: (-abs(step.contribution), step.column))


def _treatment(bundle: Bundle, column: str, codes: list[int], missing: bool) -> str:
    if codes:
        return {MISSING_CODE: "missing: a level of its own", UNKNOWN_CODE: "unknown level: not seen in training"}.get(
            codes[0], "known level"
        )
    state = next(dense.to_dict() for dense in bundle.preprocessor.dense if dense.column == column)
    if not missing:
        return {"boolean": "true as 1, false as -1", "datetime": "parts of the time"}.get(state["type"], "scaled")
    if state["type"] == "numeric" and state["measure"]:
        return f"missing: filled with the training median {state['measure']['fill']:.6g}, then scaled"
    return "missing: filled with the middle"


def _text(value: object) -> str | None:
    return None if pd.isna(value) else str(value)  # type: ignore[call-overload]
