"""A bound on the verdict's metric in every declared slice."""

from collections.abc import Sequence
from typing import Annotated

import pandas as pd
from pydantic import Field

from goodfit.errors import Fault
from goodfit.evaluation.gates.base import GATES, End, Evidence, Gate, Known, Outcome, named, told
from goodfit.metrics import METRICS

INSPECTION, TABLE = "slices", "declared"


@GATES.register("slices")
class SlicesGate(Gate):
    """Every slice that `evaluate.slices` declares must keep a bound by the first metric, on the test rows.

    Options:
        worst: the worst value that a slice may have: the most where lower is better, the least where higher is.
        end: value, or the low or high end of its interval.
        min_rows: slices of fewer rows are let pass.
    """

    def __init__(self, *, worst: float, end: End = "value", min_rows: Annotated[int, Field(ge=1)] = 30) -> None:
        self.worst, self.end, self.min_rows = worst, end, min_rows

    def faults(self, known: Known) -> Sequence[Fault]:
        """Return a fault if slices are switched off."""
        if INSPECTION in known.inspections:
            return []
        return [Fault("kind", "needs evaluate.slices, which is off", INSPECTION, "Switch it on and declare slices.")]

    def judge(self, evidence: Evidence) -> Outcome:
        """Compare the worst slice with the bounds."""
        metric = evidence.evaluation.metrics[0]
        minimize = METRICS[metric].facts["direction"] == "minimize"
        bound = f"at {'most' if minimize else 'least'} {self.worst:g}"
        asked = f"{named(self.end)}{metric} in every declared slice of {self.min_rows:,} rows or more {bound}"
        finding = evidence.evaluation.inspected.findings.get(INSPECTION)
        table = finding.tables.get(TABLE, pd.DataFrame()) if finding else pd.DataFrame()
        if table.empty:
            return Outcome("slices", asked, "no slice is declared in evaluate.slices", False)
        large = table[table["rows"] >= self.min_rows]
        failing = [row for row in large.to_dict("records") if not self._kept(float(row[self.end]), minimize)]
        if not failing:
            return Outcome("slices", asked, f"all {len(large)} do", True)
        shown = ", ".join(f"{row['slice']}: {told(float(row[self.end]))}" for row in failing[:3])
        return Outcome("slices", asked, f"{len(failing)} of {len(large)} do not ({shown})", False)

    def _kept(self, value: float, minimize: bool) -> bool:
        return value <= self.worst if minimize else value >= self.worst
