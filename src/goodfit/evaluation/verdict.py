"""How the model does beside its baselines, in a sentence or two."""

import math

from goodfit.evaluation.result import Evaluation
from goodfit.metrics import METRICS


def strongest(evaluation: Evaluation) -> str:
    """Return the baseline that is best on the test rows by the first metric; the first of equals."""
    name = evaluation.metrics[0]
    sign = 1 if METRICS[name].facts["direction"] == "minimize" else -1

    def rank(baseline: str) -> float:
        value = sign * evaluation.baselines[baseline][name].value
        return math.inf if math.isnan(value) else value

    return min(evaluation.baselines, key=rank)


def unbeaten(evaluation: Evaluation) -> list[str]:
    """Return the baselines that the model is not shown to beat by the first metric."""
    name = evaluation.metrics[0]
    return [other for other, found in evaluation.comparison.items() if found[name].finding != "better"]


def verdict(evaluation: Evaluation) -> str:
    """Return whether the model beats the strongest baseline by the first metric, and which baselines it does not."""
    name, baseline = evaluation.metrics[0], strongest(evaluation)
    estimate, against = evaluation.splits["test"][name], evaluation.comparison[baseline][name]
    rows, level = evaluation.rows["test"], f"{100 * evaluation.level:g} %"
    if math.isnan(against.low):
        return f"{name} is undefined on the {rows:,} test rows: no verdict."
    claim = {
        "better": f"Better than the {baseline} baseline",
        "worse": f"Worse than the {baseline} baseline",
        "undecided": f"Not shown to differ from the {baseline} baseline",
    }[against.finding]
    difference = f"{against.difference:+.4g} [{against.low:+.4g}, {against.high:+.4g}]"
    said = f"{claim}: {name} {estimate.value:.4g} on {rows:,} test rows, difference {difference} ({level} interval)."
    others = unbeaten(evaluation)
    return f"{said} The network does not beat {' or '.join(others)}." if others else said
