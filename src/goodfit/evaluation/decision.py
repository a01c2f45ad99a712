"""Whether to ship, and why: what a whole evaluation amounts to."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from goodfit.evaluation.gates import Outcome
from goodfit.evaluation.result import Evaluation
from goodfit.evaluation.verdict import strongest, verdict

Answer = Literal["ship", "care", "stop"]
HEADLINES: Mapping[Answer, str] = {"ship": "Ship it.", "care": "Ship with care.", "stop": "Do not ship."}


@dataclass(frozen=True)
class Reason:
    """One reason, and which answer it speaks for."""

    speaks_for: Answer
    text: str


@dataclass(frozen=True)
class Decision:
    """The answer and its reasons, the weightiest first."""

    answer: Answer
    headline: str
    reasons: tuple[Reason, ...]


def decide(evaluation: Evaluation, gates: Sequence[Outcome] = (), leaks: Sequence[Mapping[str, Any]] = ()) -> Decision:
    """Return the decision: no if a gate fails or a baseline is better, with care if anything else is amiss.

    Args:
        evaluation: what was found.
        gates: what the gates said.
        leaks: the leak checks of reports/split.json.
    """
    reasons = [*_gates(gates), *_baselines(evaluation), *_leaks(leaks), *_findings(evaluation)]
    order: list[Answer] = ["stop", "care", "ship"]
    reasons.sort(key=lambda reason: order.index(reason.speaks_for))
    answer = reasons[0].speaks_for
    return Decision(answer, HEADLINES[answer], tuple(reasons))


def _gates(gates: Sequence[Outcome]) -> Iterator[Reason]:
    for gate in gates:
        if not gate.passed:
            yield Reason("stop", f"Gate failed: {gate.asked}; found {gate.found}.")
    if gates and all(gate.passed for gate in gates):
        yield Reason("ship", f"All {len(gates)} gates passed." if len(gates) > 1 else "The gate passed.")


def _baselines(evaluation: Evaluation) -> Iterator[Reason]:
    finding = evaluation.comparison[strongest(evaluation)][evaluation.metrics[0]].finding
    speaks: Mapping[str, Answer] = {"better": "ship", "worse": "stop", "undecided": "care"}
    yield Reason(speaks[finding], verdict(evaluation))


def _leaks(leaks: Sequence[Mapping[str, Any]]) -> Iterator[Reason]:
    for leak in leaks:
        if not leak.get("passed"):
            yield Reason("care", f"The split's leak check '{leak.get('name')}' found something: {leak.get('detail')}")


def _findings(evaluation: Evaluation) -> Iterator[Reason]:
    for finding in evaluation.inspected.findings.values():
        for warning in finding.warnings:
            yield Reason("care", warning)
    for kind, why in evaluation.inspected.failures.items():
        yield Reason("care", f"The inspection '{kind}' failed and says nothing: {why}")
