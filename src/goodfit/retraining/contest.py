"""Champion against challenger, on the current test rows that neither has trained on."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from goodfit.bundle import Bundle
from goodfit.data import Table
from goodfit.errors import DataError, Fault
from goodfit.evaluation import Comparison, Contender, EvaluateSection, compare_models
from goodfit.evaluation.ordering import follow_in_time
from goodfit.metrics import METRICS
from goodfit.retraining.guards import Pair, judge_guards
from goodfit.retraining.known_rows import KnownRows
from goodfit.retraining.section import MarginSection, RetrainSection


@dataclass(frozen=True)
class Contest:
    """What came of it.

    Args:
        promote: whether the challenger becomes champion.
        reason: in words.
        evidence: JSON-able figures.
    """

    promote: bool
    reason: str
    evidence: Mapping[str, Any]


@dataclass(frozen=True)
class Side:
    """One of the two: its model, and the folder that it lies in."""

    name: str
    bundle: Bundle
    folder: Path


def contest(
    champion: Side,
    challenger: Side,
    tables: Mapping[str, Table],
    known: KnownRows,
    identity: list[str],
    section: RetrainSection,
    evaluate: EvaluateSection,
    seed: int,
) -> Contest:
    """Compare the two, and say whether the challenger is promoted.

    Args:
        champion, challenger: the models.
        tables: the current train, valid and test; the challenger was trained on the first two.
        known: the rows that the champion was trained on.
        identity: columns whose values make a row.
        section: the rules.
        evaluate: the metrics and the bootstrap.
        seed: of the resamples.

    Raises:
        DataError: there are too few rows of which it is proven that the champion has not trained on them.
    """
    test, proof = unseen_rows(tables["test"], known, identity, section.min_test_rows)
    new, old = Contender(challenger.name, challenger.bundle), Contender(champion.name, champion.bundle)
    versus = compare_models(new, old, test, evaluate, seed, in_time=follow_in_time(tables))
    metric = versus.metrics[0]
    passed, reason = decide(metric, versus.comparison[metric], versus.estimates[metric][1].value, section.margin)
    pair = Pair(champion.bundle, challenger.bundle, (champion.folder, challenger.folder), test, metric, evaluate, seed)
    guards = judge_guards(pair, section.guards)
    broken = [f"{guard.kind}: asked {guard.asked}; found {guard.found}" for guard in guards if not guard.passed]
    evidence = {**versus.to_dict(), "unseen": proof, "guards": [guard.to_dict() for guard in guards]}
    if passed and broken:
        return Contest(False, f"{reason}; but a guard says no: {' | '.join(broken)}", evidence)
    return Contest(passed, reason, evidence)


def decide(metric: str, comparison: Comparison, champion: float, margin: MarginSection) -> tuple[bool, str]:
    """Return whether the challenger wins, and why.

    Args:
        metric: the one that decides.
        comparison: challenger minus champion, paired on the rows.
        champion: the champion's figure.
        margin: the rule.
    """
    sign = 1 if METRICS[metric].facts["direction"] == "maximize" else -1
    low, high = sorted((sign * comparison.low, sign * comparison.high))
    asked = margin.by * abs(champion) * (1 if margin.rule == "superior" else -1)
    gain = f"gain of {metric} {sign * comparison.difference:+.4g} [{low:+.4g}, {high:+.4g}]"
    wins = low > asked
    relation = "surely above" if wins else "not surely above"
    return wins, f"{gain}, {relation} {asked:+.4g} ({margin.rule.replace('_', '-')}, {margin.by:.1%} of {champion:.4g})"


def first_model(metrics: Mapping[str, Any], rule: str) -> Contest:
    """Judge a challenger without a champion: the gates have passed already, and baselines may be asked about.

    Args:
        metrics: the content of metrics.json.
        rule: `gates` or `baselines`.
    """
    compared: Mapping[str, Any] = metrics.get("comparison", {})
    name = next(iter(metrics.get("test", {})), "")
    better = [baseline for baseline, figures in compared.items() if figures.get(name, {}).get("finding") == "worse"]
    if rule == "baselines" and better:
        return Contest(False, f"there is no champion, but {', '.join(better)} is surely better by {name}", {})
    return Contest(True, "there is no champion yet, and every gate has passed", {})


def unseen_rows(test: Table, known: KnownRows, identity: list[str], least: int) -> tuple[Table, str]:
    """Return the test rows that the champion has not trained on, and how that is known.

    Raises:
        DataError: there are fewer than `least`.
    """
    unseen = known.unseen(test, identity)
    count = int(unseen.mask.sum())
    proof = f"{count:,} of {len(test):,} test rows are proven unseen by the champion, {unseen.proof}"
    if count < least:
        remedy = (
            "A hashed or time split keeps test rows apart for ever (split.kind). "
            "Or lower retrain.min_test_rows, or choose yourself: goodfit rollback VERSION."
        )
        rule = f"cannot judge champion and challenger: {proof}, and {least:,} are asked for"
        raise DataError([Fault("data/test.parquet", rule, None, remedy)])
    return test.take(unseen.mask), proof
