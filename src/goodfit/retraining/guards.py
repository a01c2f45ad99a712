"""What a challenger may cost beside its gain: worse slices, worse calibration, slower answers, more bytes."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from goodfit.bundle import Bundle
from goodfit.data import Table
from goodfit.evaluation import EvaluateSection, Outcome
from goodfit.evaluation.estimates import compare
from goodfit.evaluation.reliability import adaptive_bins, calibration_error, confidence
from goodfit.evaluation.slices.declared import declared_slices
from goodfit.evaluation.targets import decided, predicted, target_values
from goodfit.metrics import METRICS
from goodfit.retraining.section import GuardsSection

BINS = 15
CALLS = 30
SMALLEST_SLICE = 30


class Pair:
    """Champion and challenger on the same rows.

    Args:
        champion, challenger: the models.
        folders: where they lie, in that order.
        test: rows that neither was trained on.
        metric: the one that decides.
        section: the `evaluate` section.
        seed: of the resamples.
    """

    def __init__(
        self,
        champion: Bundle,
        challenger: Bundle,
        folders: tuple[Path, Path],
        test: Table,
        metric: str,
        section: EvaluateSection,
        seed: int,
    ) -> None:
        self.bundles, self.folders = (champion, challenger), folders
        self.test, self.metric, self.section, self.seed = test, metric, section, seed
        self.target = target_values(challenger, test)
        self.said = [predicted(bundle, test, "test") for bundle in self.bundles]

    def needed(self, number: int) -> NDArray[np.float64] | NDArray[np.int64]:
        """Return the predictions of one model in the form that the metric needs."""
        if METRICS[self.metric].facts["needs"] == "classes":
            return decided(self.said[number], self.bundles[number].threshold)
        return self.said[number]


def judge_guards(pair: Pair, section: GuardsSection) -> list[Outcome]:
    """Return what each guard that is on says."""
    found: list[Outcome] = []
    if section.slices is not None:
        found += _slices(pair, section.slices)
    if section.calibration is not None and pair.bundles[1].task != "regression":
        found.append(_calibration(pair, section.calibration))
    if section.latency is not None:
        found.append(_latency(pair, section.latency))
    if section.size is not None:
        found.append(_size(pair, section.size))
    return found


def _slices(pair: Pair, most: float) -> Iterator[Outcome]:
    columns = getattr(pair.section, "slices").columns  # noqa: B009  (a field made at run time)
    if not columns:
        return
    known = {column.name for column in pair.test.schema.columns}
    names = [[name] for name in columns if name in known]
    options = getattr(pair.section, "slices")  # noqa: B009
    slices = declared_slices(
        pair.test.frame, pair.test.schema, names, options.bins or {}, options.quantiles, SMALLEST_SLICE
    )
    sign = 1 if METRICS[pair.metric].facts["direction"] == "maximize" else -1
    failing = []
    for part in slices:
        rows = part.mask
        before, after = (pair.needed(number)[rows] for number in (0, 1))
        value = float(METRICS[pair.metric].cls().weighted(pair.target[rows], before)(np.ones((int(rows.sum()), 1)))[0])
        bootstrap = pair.section.bootstrap
        level = 1 - (1 - bootstrap.level) / max(1, len(slices))  # one false alarm over all slices is as rare as in one
        seen = compare(
            pair.metric, pair.target[rows], after, before, resamples=bootstrap.resamples, level=level, seed=pair.seed
        )
        best = max(sign * seen.low, sign * seen.high)
        if best < -most * abs(value):
            failing.append(f"{part.name}: {seen.difference:+.4g}")
    asked = f"no sure loss of {pair.metric} beyond {most:.1%} in any of {len(slices)} slices"
    yield Outcome("slices", asked, ", ".join(failing[:3]) or "none", not failing)


def _calibration(pair: Pair, most: float) -> Outcome:
    errors = [_error(pair.target, said) for said in pair.said]
    asked = f"expected calibration error at most {most:g} above the champion's"
    return Outcome("calibration", asked, f"{errors[1]:.4g} against {errors[0]:.4g}", errors[1] - errors[0] <= most)


def _error(target: NDArray[np.int64], said: NDArray[np.float64]) -> float:
    claimed, true = confidence(target, said)
    return float(calibration_error(claimed, true, adaptive_bins(claimed, BINS))(np.ones((len(claimed), 1)))[0])


def _latency(pair: Pair, most: float) -> Outcome:
    times = row_times(pair.bundles, pair.test.frame)
    asked = f"median time of a row at most {most:g} times the champion's"
    return Outcome("latency", asked, f"{times[1]:.3g} ms against {times[0]:.3g} ms", times[1] <= most * times[0])


def row_times(bundles: tuple[Bundle, Bundle], frame: pd.DataFrame) -> list[float]:
    """Return the median milliseconds of an answer to one row, taken in turns, so that both meet the same machine."""
    rows = [frame[[column.name for column in bundle.schema.features]].head(1) for bundle in bundles]
    times: list[list[float]] = [[], []]
    for _ in range(CALLS):
        for number, bundle in enumerate(bundles):
            start = time.perf_counter()
            bundle.predict(rows[number])
            times[number].append((time.perf_counter() - start) * 1000)
    return [float(np.median(taken)) for taken in times]


def _size(pair: Pair, most: float) -> Outcome:
    sizes = [sum(path.stat().st_size for path in folder.iterdir()) for folder in pair.folders]
    asked = f"size at most {most:g} times the champion's"
    return Outcome("size", asked, f"{sizes[1]:,} bytes against {sizes[0]:,}", sizes[1] <= most * sizes[0])
