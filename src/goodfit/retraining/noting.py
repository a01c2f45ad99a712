"""What was decided about a version, as tags on it."""

from typing import Any

from goodfit.tracking import Decision, ModelRegistry

DECISION = "goodfit.decision"
NUMBER = "goodfit.decision_number"
NONE = "none"


def note_decision(registry: ModelRegistry, decision: Decision) -> None:
    """Tag a version with the decision that made it champion, unless it is tagged with it already."""
    version = registry.versions.get(decision.version)
    if version is None or version.tags.get(NUMBER) == str(decision.number):
        return
    tags = _tags(decision.reason, decision.previous, decision.run)
    registry.versions.tag(decision.version, {**tags, DECISION: decision.kind, NUMBER: decision.number})


def note_kept(registry: ModelRegistry, version: int, champion: int | None, reason: str, run: str | None) -> None:
    """Tag a version that did not become champion."""
    registry.versions.tag(version, {**_tags(reason, champion, run), DECISION: "kept"})


def _tags(reason: str, previous: int | None, run: str | None) -> dict[str, Any]:
    return {
        "goodfit.reason": reason,
        "goodfit.previous_champion": NONE if previous is None else previous,
        "goodfit.retrain_run": run or NONE,
    }
