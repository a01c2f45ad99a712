"""reports/cost.json: what training cost, and how long the model takes to answer on this machine.

Times differ from run to run, so they stay out of metrics.json, which is the same for the same model and data.
"""

import resource
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from goodfit.bundle import Bundle
from goodfit.evaluation.inspections.cost import Cost

WARM_UPS, FEWEST, MOST = 3, 5, 200
BYTES_PER_MB = 1e6


def measure_cost(
    bundle: Bundle, folder: Path, frame: pd.DataFrame, options: Any, training: Mapping[str, float]
) -> dict[str, float]:
    """Return figures by name: those of the training, sizes, and times in milliseconds.

    Args:
        bundle: the model.
        folder: where it lies.
        frame: raw rows to answer for.
        options: of `evaluate.cost`.
        training: the figures in run.json, such as cost/seconds.
    """
    member = Cost(**dict(options))
    figures = {f"training_{name.removeprefix('cost/')}": float(value) for name, value in training.items()}
    figures.pop("training_parameters", None)
    figures["parameters"] = float(sum(parameter.numel() for parameter in bundle.model.parameters()))
    figures["bundle_mb"] = sum(path.stat().st_size for path in folder.iterdir()) / BYTES_PER_MB
    figures["evaluation_peak_rss_mb"] = _peak_rss()
    if not member.enabled or not member.seconds or frame.empty:
        return figures
    names = [column.name for column in bundle.schema.features]
    one, batch = frame[names].head(1), frame[names].iloc[np.arange(member.batch) % len(frame)]
    for label, rows in (("row", one), ("batch", batch)):
        times = _timed(lambda rows=rows: bundle.predict(rows), member.seconds)  # type: ignore[misc]
        figures[f"latency_{label}_median_ms"] = float(np.median(times)) * 1000
        figures[f"latency_{label}_p95_ms"] = float(np.quantile(times, 0.95)) * 1000
    figures["batch_rows"] = float(len(batch))
    figures["rows_per_second"] = len(batch) / (figures["latency_batch_median_ms"] / 1000)
    prepared = bundle.preprocessor.transform(one)
    figures["prepared_bytes_per_row"] = float(prepared.numeric.nbytes + prepared.categorical.nbytes)
    return figures


def _timed(call: Callable[[], object], seconds: float) -> list[float]:
    """Return the durations of calls, in seconds, made one after the other until the time is up."""
    for _ in range(WARM_UPS):
        call()
    times: list[float] = []
    end = time.perf_counter() + seconds
    while len(times) < FEWEST or (time.perf_counter() < end and len(times) < MOST):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return times


def _peak_rss() -> float:
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, KiB elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / BYTES_PER_MB
