"""Would more data help? The chosen model on growing shares of its train rows, from several seeds."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from goodfit.data import Table
from goodfit.evaluation import Estimate, Finding, LearningCurveSection
from goodfit.evaluation.charts import line_chart
from goodfit.preprocessing.targets import Standardized
from goodfit.studies.chosen import Chosen
from goodfit.studies.interval import mean_interval
from goodfit.studies.training import Result, Variant, trained
from goodfit.training import TrainingData, derived, usual_batch

TITLE = "Would more data help?"


def learning_curve(chosen: Chosen, section: LearningCurveSection, state: Path | None = None) -> Finding:
    """Train the chosen model on shares of the train rows and judge it on all valid rows.

    Each seed draws rows of its own, and its smaller shares are parts of its larger ones; preprocessing is fitted on the
    share alone. Shares of fewer rows than a batch are left out, because a model cannot be trained on them as it is.

    Args:
        chosen: settings and rows.
        section: which shares, how many seeds, and the level of the intervals.
        state: folder for checkpoints, or None to train without.

    Raises:
        ConfigurationError, MachineError, ServiceError: see `fit_population`.
        DataError: a share of the rows has no feature that varies.
    """
    recipe, count = chosen.recipe, len(chosen.train)
    batch = recipe.training.batch_size or usual_batch(count)
    sizes = sorted({round(share * count) for share in section.shares if round(share * count) >= batch})
    if len(sizes) < 2:
        rule = f"Fewer than two of the shares of {count:,} train rows hold a batch of {batch:,} rows"
        return Finding(TITLE, f"{rule}: there is no curve. Lower training.batch_size, or raise the shares.")
    data = {size: [_part(chosen, size, number) for number in range(section.seeds)] for size in sizes}
    target = data[sizes[-1]][0].preprocessor.target
    scale = target.deviation if isinstance(target, Standardized) else 1.0
    variants = {str(size): Variant(recipe, data[size]) for size in sizes}
    found = trained(variants, chosen.sections.seed, state, scale)
    return shown({size: found[str(size)] for size in sizes}, section)


def _part(chosen: Chosen, size: int, number: int) -> TrainingData:
    drawn = np.random.default_rng(derived(chosen.sections.seed, "learning curve", number)).permutation(
        len(chosen.train)
    )
    rows = np.sort(drawn[:size])
    part = Table(chosen.train.frame.iloc[rows].reset_index(drop=True), chosen.train.schema)
    return TrainingData.of(part, chosen.valid, chosen.recipe.training.preprocessing)


def shown(found: Mapping[int, Sequence[Result | None]], section: LearningCurveSection) -> Finding:
    """Return the finding for the report, the tracker and the screen."""
    sound = {size: [result for result in results if result is not None] for size, results in found.items()}
    valid = {size: mean_interval([one.valid for one in results], section.level) for size, results in sound.items()}
    gap = {size: mean_interval([one.gap for one in results], section.level) for size, results in sound.items()}
    rows = [
        (
            size,
            v.value,
            v.low,
            v.high,
            gap[size].value,
            gap[size].low,
            gap[size].high,
            len(found[size]) - len(sound[size]),
        )
        for size, v in valid.items()
    ]
    names = ["train_rows", "loss", "loss_low", "loss_high", "gap", "gap_low", "gap_high", "failed"]
    lines = {
        "train": [(size, v.value - gap[size].value) for size, v in valid.items()],
        "valid": [(size, v.value) for size, v in valid.items()],
        "valid, low end": [(size, v.low) for size, v in valid.items()],
        "valid, high end": [(size, v.high) for size, v in valid.items()],
    }
    drawn = {name: [point for point in points if point[1] == point[1]] for name, points in lines.items()}
    gain = last_gain(found, section.level)
    figures = {f"loss_at_{size}": v.value for size, v in valid.items() if v.value == v.value}
    figures |= {
        f"last_gain{end}": value
        for end, value in (("", gain.value), ("_low", gain.low), ("_high", gain.high))
        if value == value
    }
    charts = [("Loss by the number of train rows", line_chart(drawn, "train rows", "loss"))]
    return Finding(
        TITLE, said(gain, list(found), section), {"curve": pd.DataFrame(rows, columns=names)}, charts, figures
    )


def last_gain(found: Mapping[int, Sequence[Result | None]], level: float) -> Estimate:
    """Return how much the loss on valid fell with the last step in rows, by seed."""
    before, after = list(found.values())[-2:]
    pairs = [(one, other) for one, other in zip(before, after, strict=True) if one is not None and other is not None]
    return mean_interval([one.valid - other.valid for one, other in pairs], level)


def said(gain: Estimate, sizes: Sequence[int], section: LearningCurveSection) -> str:
    """Return the answer in words."""
    before, after = sizes[-2:]
    step = f"From {before:,} to {after:,} train rows the loss on valid fell by {gain.value:.4g}"
    step += f" ({gain.low:.4g} to {gain.high:.4g}, {section.level:.0%} interval over {section.seeds} seeds)"
    if gain.low > 0:
        return f"More rows would probably help. {step}: the curve still falls."
    if gain.high < 0:
        return f"More rows of this kind would probably not help. {step}: it rose."
    return f"It is not shown that more rows would help. {step}: that may be chance."
