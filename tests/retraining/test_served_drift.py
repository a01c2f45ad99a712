"""What `goodfit serve` has recorded is examined for drift by the next retrain, and so is what was answered."""

from typing import Any

import pytest

from goodfit.bundle import load_bundle
from goodfit.errors import DataError
from goodfit.retraining.freshness import nothing_new
from goodfit.retraining.policies import Situation
from goodfit.retraining.policies.drift import Drift
from goodfit.serving.journal import Entry, Journal
from goodfit.serving.parts import FOLDER, state_of
from goodfit.serving.served import served_rows


def serve(bench: Any, count: int, version: int, move: float = 0.0, odds: float = 0.0) -> None:
    """Record rows as the server does."""
    import sys

    frame = sys.modules["retraining_bench"].rows(count, 9, move).drop(columns=["y", "number"])
    frame["x0"] += odds
    journal = Journal(bench.root / FOLDER)
    journal.add(Entry(version, frame.to_dict("records"), [{"prediction": "no"}] * count))
    journal.close()
    assert journal.written == count


def test_served_rows_that_have_drifted_are_told_and_alone_they_retrain_nothing(second: Any) -> None:
    second.edit("{kind: always}", "{kind: drift}")
    assert second.retrain(1.5).status == "not_due"
    assert nothing_new(second.root, second.served) is not None
    serve(second, 300, 1, move=3.0)
    serve(second, 400, 2)
    assert nothing_new(second.root, second.served) is None, "rows were served"
    outcome = second.retrain(1.5)
    assert outcome.drift["served"]["rows"] == 400, "those of the champion, not of version 1"
    assert outcome.drift["served"]["drifted"] == []
    assert nothing_new(second.root, second.served) is not None
    serve(second, 600, 2, move=3.0)
    outcome = second.retrain(1.5)
    assert outcome.status == "not_due" and outcome.drift["served"]["drifted"] == ["x1"]
    assert outcome.reason.startswith("1 columns have drifted (x1 as served), and 1 are asked for; but the data")
    second.append(100, 3)
    outcome = second.retrain(1.501, dry_run=True)
    assert outcome.status == "would_retrain", "there is something to learn from now"
    second.edit("{kind: drift}", "{kind: drift}, drift: {served: false}")
    assert "served" not in second.retrain(1.5).drift


def test_predictions_are_a_column_of_what_was_served(second: Any) -> None:
    serve(second, 500, 2, odds=2.0)
    outcome = second.retrain(1.5)
    assert set(outcome.drift["served"]["drifted"]) == {"x0", "(prediction)"}


def test_a_record_that_is_torn_or_forged_does_no_harm(second: Any) -> None:
    bundle = load_bundle(second.root / "models/candidate")
    folder = second.root / FOLDER
    assert state_of(folder) == "" and served_rows(folder, bundle, 2).empty
    serve(second, 3, 2)
    with next(folder.glob("*.jsonl")).open("a") as stream:
        stream.write('[]\n7\n{"version": 2, "row": 5}\n{"version": 2}\n{"version": 2, "ro')
    assert len(served_rows(folder, bundle, 2)) == 3
    with next(folder.glob("*.jsonl")).open("a") as stream:
        stream.write('\n{"version": 2, "row": {"x0": "a number"}}\n')
    with pytest.raises(DataError):
        served_rows(folder, bundle, 2)
    outcome = second.retrain(1.5)
    assert outcome.status == "not_due", "the record is no reason to fail"
    assert "the record of what was served cannot be used" in outcome.drift["served"]["notes"][0]


@pytest.mark.parametrize(
    ("drifted", "served", "changed", "yes"),
    [
        (None, (), True, False),
        (None, ("a",), True, True),
        ((), ("a",), True, True),
        (("b",), (), True, True),
        (None, ("a",), False, False),
    ],
)
def test_the_policy_counts_both(drifted: Any, served: Any, changed: bool, yes: bool) -> None:
    assert Drift().decide(Situation(0.0, changed, 10, 0.0, drifted, None, served)).retrain is yes
