"""Do probabilities mean what they say, and do prediction intervals hold as many values as they claim?"""

from typing import Annotated, Any

import numpy as np
import pandas as pd
from markupsafe import Markup
from numpy.typing import NDArray
from pydantic import Field

from goodfit.bundle import PredictionInterval
from goodfit.evaluation.bootstrap import Resampling
from goodfit.evaluation.charts import line_chart
from goodfit.evaluation.estimates import Estimate, compared
from goodfit.evaluation.inspections.base import INSPECTIONS, Finding, Inspection, Subject
from goodfit.evaluation.inspections.resampling import resampling_of
from goodfit.evaluation.intervals import reflected, share_interval
from goodfit.evaluation.reliability import (
    adaptive_bins,
    calibration_error,
    confidence,
    error_by_chance,
    reliability_table,
    sharpened,
)
from goodfit.metrics import METRICS
from goodfit.metrics.base import weighted_mean

NUMBER = 10
MATERIAL = 0.05
"""A calibration error, or a lack of coverage, that is smaller keeps nobody from shipping."""


@INSPECTIONS.register("calibration", tasks=("binary", "multiclass", "regression"), order=10)
class Calibration(Inspection):
    """Whether probabilities mean what they say, and prediction intervals hold as many values as they claim.

    Options:
        bins: groups of rows with about the same prediction, equally many rows in each.
    """

    def __init__(self, *, bins: Annotated[int, Field(ge=2, le=100)] = 15, **options: Any) -> None:
        super().__init__(**options)
        self.bins = bins

    def inspect(self, subject: Subject) -> Finding | None:
        """Return what the test rows say about the probabilities, or about the intervals."""
        if subject.task != "regression":
            return self._probabilities(subject)
        return None if subject.bundle.interval is None else self._intervals(subject, subject.bundle.interval)

    def _probabilities(self, subject: Subject) -> Finding:
        target, resampling = subject.targets["test"], resampling_of(subject, NUMBER)
        temperature = subject.bundle.temperature
        after = subject.predictions["test"]
        said, true = confidence(target, after)
        bin_of = adaptive_bins(said, self.bins)
        error, figures = self._error(target, after, resampling), {"temperature": temperature}
        chance, limit = error_by_chance(said, bin_of, resampling.level, (subject.seed, NUMBER))
        figures |= _named("ece", error) | {"ece_by_chance": chance, "ece_by_chance_high": limit}
        table = reliability_table(said, true, bin_of, resampling)
        tables = {"reliability": table}
        warnings: list[str] = []
        if temperature != 1:
            tables["temperature"] = self._before_and_after(subject, figures)
            warnings += _harm(subject, resampling, figures)
        summary = _summary(error, chance, limit, temperature, figures.get("ece_before"), resampling.level)
        if error.value > max(limit, MATERIAL):
            warnings += [f"Its probabilities are off by {error.value:.3f} on average, more than chance explains."]
        chart = _diagram(table, resampling.level)
        return Finding("Calibration", summary, tables, (chart,), figures, warnings)

    def _error(self, target: NDArray[Any], prediction: NDArray[np.float64], resampling: Resampling) -> Estimate:
        said, true = confidence(target, prediction)
        figure = {0: calibration_error(said, true, adaptive_bins(said, self.bins))}
        sample = resampling.samples(figure)[0]
        low, high = reflected(sample, resampling.level)
        return Estimate(sample.value, max(0.0, low), max(sample.value, high))

    def _before_and_after(self, subject: Subject, figures: dict[str, float]) -> pd.DataFrame:
        """Return calibration error and log loss without and with the temperature, on valid and test."""
        loss, lines = METRICS["log_loss"].cls(), []
        for split in ("valid", "test"):
            target, after = subject.targets[split], subject.predictions[split]
            for when, said in (("before", sharpened(after, subject.bundle.temperature)), ("after", after)):
                what, true = confidence(target, said)
                bin_of = adaptive_bins(what, self.bins)
                error = float(calibration_error(what, true, bin_of)(np.ones((len(target), 1)))[0])
                lines.append((split, when, error, loss.compute(target, said)))
                if (split, when) == ("test", "before"):
                    figures["ece_before"] = error
        return pd.DataFrame(lines, columns=["split", "temperature", "ece", "log_loss"])

    def _intervals(self, subject: Subject, interval: PredictionInterval) -> Finding:
        target, said = subject.targets["test"], subject.predictions["test"]
        low, high = interval.around(said)
        inside = ((low <= target) & (target <= high)).astype(np.float64)
        resampling = resampling_of(subject, NUMBER)
        held = _share(inside, resampling)
        width = float(np.mean(high - low))
        figures = {**_named("coverage", held), "coverage_nominal": interval.coverage, "mean_width": width}
        table = reliability_table(said, inside, adaptive_bins(said, min(self.bins, 10)), resampling)
        table = table.rename(columns={"observed": "coverage"})
        level = f"{100 * subject.bootstrap.level:g} %"
        summary = (
            f"{100 * held.value:.1f} % of the test values [{100 * held.low:.1f}, {100 * held.high:.1f}; {level}] lie "
            f"in their prediction interval, which claims {100 * interval.coverage:g} %; its mean width is {width:.4g}."
        )
        short = max(held.high, held.value + MATERIAL) < interval.coverage
        warnings = [f"Prediction intervals hold {held.value:.1%} of the values, and claim {interval.coverage:.1%}."]
        return Finding("Prediction intervals", summary, {"coverage": table}, (), figures, warnings if short else ())


def _harm(subject: Subject, resampling: Resampling, figures: dict[str, float]) -> list[str]:
    """Return a warning where the temperature, fitted on valid, does harm on test: the rows of another season, say."""
    after, temperature = subject.predictions["test"], subject.bundle.temperature
    loss, target = METRICS["log_loss"].cls(), subject.targets["test"]
    both = {"after": after, "before": sharpened(after, temperature)}
    samples = resampling.samples({when: loss.weighted(target, said) for when, said in both.items()})
    change = compared(samples["after"] - samples["before"], "minimize", resampling)
    figures["temperature_log_loss_change"] = change.difference
    if change.finding != "worse":
        return []
    return [
        f"Its temperature of {temperature:.3g}, fitted on the valid rows, makes the log loss of the test rows worse by "
        f"{change.difference:.4f} [{change.low:.4f}, {change.high:.4f}]: the one do not stand for the other. Set "
        f"calibration.temperature: false."
    ]


def _share(inside: NDArray[np.float64], resampling: Resampling) -> Estimate:
    if resampling.groups is None and resampling.stretches is None:
        bounds = share_interval(float(inside.sum()), len(inside), resampling.level)
        return Estimate(float(inside.mean()), *bounds)
    sample = resampling.samples({0: weighted_mean(inside)})[0]
    return Estimate(sample.value, *resampling.bounds(sample))


def _named(name: str, estimate: Estimate) -> dict[str, float]:
    return {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}


def _summary(
    error: Estimate, chance: float, limit: float, temperature: float, before: float | None, level: float
) -> str:
    bounds = f"[{error.low:.3f}, {error.high:.3f}; {100 * level:g} %]"
    verdict = "more than chance explains" if error.value > limit else "no more than chance explains"
    said = f"Probabilities and outcomes differ by {error.value:.3f} {bounds} on average (ECE), {verdict}"
    said = f"{said}: a perfectly calibrated model would show {chance:.3f}."
    if before is None:
        return f"{said} No temperature was applied."
    return f"{said} A temperature of {temperature:.3g}, fitted on valid, moved it from {before:.3f}."


def _diagram(table: pd.DataFrame, level: float) -> tuple[str, Markup]:
    names = {"observed": "observed", "low": f"{100 * level:g} % low", "high": f"{100 * level:g} % high"}
    series = {names[name]: list(zip(table["predicted"], table[name], strict=True)) for name in names}
    return "Reliability on the test rows", line_chart(series, "predicted probability", "observed share", diagonal=True)
