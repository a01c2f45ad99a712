"""What does an ensemble gain over its best model?"""

import pandas as pd

from goodfit.bundle import Bundle
from goodfit.evaluation.estimates import Comparison, Estimate, compared
from goodfit.evaluation.inspections.base import INSPECTIONS, Finding, Inspection, Subject
from goodfit.evaluation.inspections.resampling import resampling_of
from goodfit.evaluation.judging import Answers
from goodfit.evaluation.targets import predicted
from goodfit.metrics import METRICS

NUMBER = 16
WHOSE = ("ensemble", "best model alone")


@INSPECTIONS.register("ensemble", tasks=("binary", "multiclass", "regression"), order=5)
class EnsembleGain(Inspection):
    """What the ensemble of `train.ensemble` gains on test over the model that is its best on valid, with an interval.

    Both answer the same rows, so that their difference is drawn anew in pairs; each has a temperature of its own.
    """

    def inspect(self, subject: Subject) -> Finding | None:
        """Return both figures and their difference; None where one model answers."""
        if not subject.bundle.parts:
            return None
        ensemble, alone, gain = _figures(subject)
        minimized = METRICS[subject.metric].facts["direction"] == "minimize"
        lines = zip(WHOSE, (ensemble, alone), strict=True)
        table = pd.DataFrame(
            [(whose, e.value, e.low, e.high) for whose, e in lines], columns=["answers", subject.metric, "low", "high"]
        )
        figures = {
            "models": float(len(subject.bundle.parts)),
            "votes": float(sum(part.votes for part in subject.bundle.parts)),
            "difference": gain.difference,
            "difference_low": gain.low,
            "difference_high": gain.high,
        }
        said = _said(subject.bundle, subject.metric, gain, minimized)
        return Finding("Ensemble", said, {"gain": table, "parts": _parts(subject.bundle)}, figures=figures)


def _figures(subject: Subject) -> tuple[Estimate, Estimate, Comparison]:
    """Return the metric of the ensemble, that of its best model, and the first less the second."""
    best = subject.bundle.best_part
    said = dict(zip(WHOSE, (subject.predictions["test"], predicted(best, subject.tables["test"], "test")), strict=True))
    threshold = dict.fromkeys(WHOSE, subject.bundle.threshold)
    answers = Answers(subject.targets["test"], subject.groups["test"], said, threshold)
    metric, resampling = METRICS[subject.metric], resampling_of(subject, NUMBER)
    figures = {w: metric.cls().weighted(answers.target, answers.needed(w, subject.metric)) for w in WHOSE}
    samples = resampling.samples(figures)
    ensemble, alone = (Estimate(samples[whose].value, *resampling.bounds(samples[whose])) for whose in WHOSE)
    return ensemble, alone, compared(samples[WHOSE[0]] - samples[WHOSE[1]], metric.facts["direction"], resampling)


def _said(bundle: Bundle, metric: str, gain: Comparison, minimized: bool) -> str:
    models, votes = len(bundle.parts), sum(part.votes for part in bundle.parts)
    shown = {"better": "It is shown to help", "worse": "It is shown to do harm", "undecided": "It is not shown to help"}
    better = "lower" if minimized else "higher"
    return (
        f"{shown[gain.finding]}: {metric} of {models} models with {votes} votes is {gain.difference:+.4g} "
        f"[{gain.low:+.4g}, {gain.high:+.4g}] beside the best of them alone; {better} is better."
    )


def _parts(bundle: Bundle) -> pd.DataFrame:
    lines = [(part.votes, part.networks, *_settings(part.model_options.model_dump())) for part in bundle.parts]
    return pd.DataFrame(lines, columns=["votes", "networks", "model", "options"])


def _settings(options: dict[str, object]) -> tuple[str, str]:
    kind = str(options.pop("kind"))
    return kind, ", ".join(f"{name}={value}" for name, value in options.items() if value is not None)
