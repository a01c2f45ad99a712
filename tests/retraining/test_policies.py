"""When to retrain: each policy by its words, what goes before it, and the cooldown behind it."""

from typing import Any

import pytest

from goodfit.errors import ConfigurationError
from goodfit.params import check
from goodfit.retraining import POLICIES, RetrainSection
from goodfit.retraining.deciding import Standing, decide, overrides
from goodfit.retraining.policies import Quality, Situation
from goodfit.retraining.policies.base import DAY

NOW = 100 * DAY
CALM = Situation(NOW, True, 120, NOW - 10 * DAY, (), None)
WORSE = Quality("roc_auc", (0.8, 0.78, 0.82), (0.7, 0.67, 0.73), 0.125, True, 500)
UNSURE = Quality("roc_auc", (0.8, 0.78, 0.82), (0.7, 0.6, 0.79), 0.125, False, 500)
SLIGHT = Quality("roc_auc", (0.8, 0.795, 0.805), (0.79, 0.786, 0.794), 0.0125, True, 500)


def situation(**changes: Any) -> Situation:
    return Situation(**{**{name: getattr(CALM, name) for name in CALM.__dataclass_fields__}, **changes})


@pytest.mark.parametrize(
    ("options", "changes", "yes", "words"),
    [
        ({"kind": "always"}, {}, True, "120 new rows"),
        ({"kind": "always"}, {"changed": False, "new_rows": 0}, False, "have not changed"),
        ({"kind": "new_rows", "rows": 120}, {}, True, "120 new rows, and 120"),
        ({"kind": "new_rows", "rows": 121}, {}, False, "121 are asked for"),
        ({"kind": "drift"}, {"drifted": ("age", "plan")}, True, "2 columns have drifted (age, plan)"),
        ({"kind": "drift", "columns": 3}, {"drifted": ("age", "plan")}, False, "3 are asked for"),
        ({"kind": "drift"}, {"drifted": None}, False, "could not be tested"),
        ({"kind": "age", "days": 10}, {}, True, "10.0 days old"),
        ({"kind": "age", "days": 11}, {}, False, "11 days"),
        ({"kind": "age", "days": 10}, {"changed": False}, False, "have not changed since"),
        ({"kind": "quality"}, {"quality": WORSE}, True, "12.5% worse"),
        ({"kind": "quality"}, {"quality": UNSURE}, False, "not surely worse"),
        ({"kind": "quality"}, {"quality": SLIGHT}, False, "1.2% worse, 5.0% asked for"),
        ({"kind": "quality"}, {}, False, "could not be told"),
    ],
)
def test_a_policy_decides_with_a_reason(options: dict[str, Any], changes: Any, yes: bool, words: str) -> None:
    section = RetrainSection(policy=options)
    verdict = decide(section, Standing(1, 1), situation(**changes))
    assert verdict.retrain is yes
    assert words in verdict.reason


def test_every_policy_is_tried_above() -> None:
    assert set(POLICIES) == {"age", "always", "drift", "new_rows", "quality"}


def test_age_says_when_it_will_answer_otherwise() -> None:
    verdict = decide(RetrainSection(policy={"kind": "age", "days": 30}), Standing(1, 1), CALM)
    assert verdict.due == NOW + 20 * DAY


def test_the_cooldown_holds_a_yes_back_and_says_until_when() -> None:
    section = RetrainSection(cooldown_hours=48)
    verdict = decide(section, Standing(1, 3, NOW - DAY), CALM)
    assert (verdict.retrain, verdict.due) == (False, NOW + DAY)
    assert verdict.reason.endswith("but the cooldown lasts 24.0 hours more")
    assert decide(section, Standing(1, 3, NOW - 2 * DAY), CALM).retrain


@pytest.mark.parametrize(
    ("standing", "force", "words"),
    [
        (Standing(None), False, "there is no champion"),
        (Standing(1, 2, 0.0, judged=False), False, "version 2 was registered, and nobody has judged it"),
        (Standing(1, 2), True, "asked for by hand"),
    ],
)
def test_no_policy_is_asked_where_the_answer_is_clear(standing: Standing, force: bool, words: str) -> None:
    verdict = overrides(standing, force=force)
    assert verdict is not None and (verdict.retrain, verdict.reason) == (True, words)


def test_otherwise_the_policy_is_asked() -> None:
    assert overrides(Standing(1, 2), force=False) is None


def test_wrong_settings_are_refused_all_at_once() -> None:
    from goodfit.cli.preflight import CommandParams

    tree = {"retrain": {"policy": {"kind": "newrows"}, "margin": {"by": 2}, "guards": {"sizes": 1}}}
    with pytest.raises(ConfigurationError) as caught:
        check(tree, CommandParams, "params.yaml")
    text = str(caught.value)
    assert "retrain.policy.kind: unknown kind (it is 'newrows'). Did you mean 'new_rows'?" in text
    assert "retrain.margin.by" in text
    assert "retrain.guards.sizes: unknown option. Did you mean 'size'?" in text
