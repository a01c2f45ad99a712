"""What an evaluation amounts to, in one sentence."""

import math

from goodfit.evaluation.result import Evaluation

REFERENCE = "linear"


def verdict(evaluation: Evaluation) -> str:
    """Return whether the model beats the linear baseline by the first metric, with the paired interval."""
    name = evaluation.metrics[0]
    estimate, against = evaluation.splits["test"][name], evaluation.comparison[REFERENCE][name]
    rows, level = evaluation.rows["test"], f"{100 * evaluation.level:g} %"
    if math.isnan(against.low):
        return f"{name} is undefined on the {rows:,} test rows: no verdict."
    claim = {
        "better": f"Better than the {REFERENCE} baseline",
        "worse": f"Worse than the {REFERENCE} baseline",
        "undecided": f"Not shown to differ from the {REFERENCE} baseline",
    }[against.finding]
    difference = f"{against.difference:+.4g} [{against.low:+.4g}, {against.high:+.4g}]"
    return f"{claim}: {name} {estimate.value:.4g} on {rows:,} test rows, difference {difference} ({level} interval)."
