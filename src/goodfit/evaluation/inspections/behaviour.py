"""Does the model do what anybody who knows the subject would demand of it?"""

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
import pandas as pd
from pydantic import Field

from goodfit.data import Schema
from goodfit.errors import Fault
from goodfit.evaluation.behaviour.checking import Test, level_faults, schema_faults
from goodfit.evaluation.behaviour.definitions import BehaviourTest
from goodfit.evaluation.behaviour.trying import Tried, tried
from goodfit.evaluation.inspections.base import INSPECTIONS, Finding, Inspection, Subject
from goodfit.evaluation.rows.listing import listed
from goodfit.preprocessing import Preprocessor

NUMBER = 70


@INSPECTIONS.register("behaviour", tasks=("binary", "multiclass", "regression"), order=70)
class Behaviour(Inspection):
    """What the model must do: a change that must not matter, a raise that must not lower the score, a known answer.

    Each test has a `kind`:
    `invariance` (`rename` categories that must not matter, or `set` columns, and the prediction stays within
    `tolerance`: `{kind: invariance, rename: {city: {Paris: Lyon}}}`),
    `directional` (`add` to numbers or `set` columns, and the score `expect`ed `not_lower` or `not_higher` does not move
    the other way: `{kind: directional, add: {income: 1000}, expect: not_lower}`; `of_class` names the class whose
    probability it is), or
    `minimum_functionality` (with the columns `set`, the model predicts the class `expect`, or a value `between` two).
    All can have a `name`, `when` (only rows with these values), and `max_violations`, the largest share of the rows
    that may violate it.

    Options:
        tests: the tests.
        rows: most test rows that each is tried on, drawn at random.
        examples: violating rows that are listed per test.
    """

    def __init__(
        self,
        *,
        tests: list[BehaviourTest] = [],  # noqa: B006  (never changed)
        rows: Annotated[int, Field(ge=1, le=1_000_000)] = 5000,
        examples: Annotated[int, Field(ge=0, le=100)] = 5,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.tests: list[Test] = list(tests)
        self.rows, self.examples = rows, examples

    def faults(self, schema: Schema) -> Sequence[Fault]:
        """Return columns, types and classes that the schema does not have."""
        return schema_faults(self.tests, schema)

    def level_faults(self, preprocessor: Preprocessor) -> Sequence[Fault]:
        """Return levels that the train rows did not have."""
        return level_faults(self.tests, preprocessor)

    def inspect(self, subject: Subject) -> Finding | None:
        """Return the share of test rows that violate each test, and examples."""
        if not self.tests:
            return None
        frame, bundle = subject.tables["test"].frame, subject.bundle
        rows = np.arange(len(frame))
        if len(rows) > self.rows:
            rows = np.sort(np.random.default_rng((subject.seed, NUMBER)).choice(rows, self.rows, replace=False))
        sample = frame.iloc[rows]
        found = [tried(test, sample, subject.schema, bundle.predict, bundle.decide) for test in self.tests]
        lines = [_line(test, one) for test, one in zip(self.tests, found, strict=True)]
        tables = {"tests": pd.DataFrame(lines)}
        for number, one in enumerate(found):
            if one.violated.any() and self.examples:
                tables[f"examples_{number + 1}"] = self._examples(subject, rows, one)
        failed = [line for line in lines if line["passed"] == "no"]
        figures = {f"violations.{number + 1}": one.share for number, one in enumerate(found) if len(one.rows)}
        figures |= {"failed": float(len(failed)), "violations.worst": max(figures.values(), default=0.0)}
        warnings = [_warning(line) for line in lines if line["passed"] != "yes"]
        summary = f"{len(lines) - len(failed)} of {len(lines)} behaviour tests hold on up to {len(rows):,} test rows."
        return Finding("What it must do", summary, tables, (), figures, warnings)

    def _examples(self, subject: Subject, rows: np.ndarray[Any, Any], one: Tried) -> pd.DataFrame:
        first = np.flatnonzero(one.violated)[: self.examples]
        said = {"before": one.before[first], "after": one.after[first]}
        return listed(subject.tables["test"], rows[one.rows[first]], said)


def _line(test: Test, one: Tried) -> dict[str, Any]:
    passed = "not tried" if not len(one.rows) else "yes" if one.share <= test.max_violations else "no"
    return {
        "test": test.title,
        "kind": test.kind,
        "rows": len(one.rows),
        "violations": int(one.violated.sum()),
        "share": one.share,
        "allowed": test.max_violations,
        "passed": passed,
    }


def _warning(line: dict[str, Any]) -> str:
    if line["passed"] == "not tried":
        return f"Behaviour test '{line['test']}' was not tried: no test row has its values."
    share = f"{line['share']:.1%} of {line['rows']:,} test rows"
    return f"Behaviour test '{line['test']}' fails: {share} violate it, {line['allowed']:.1%} may."
