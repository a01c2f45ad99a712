"""`goodfit history`: who was champion when, and why; and what the retrains came to that changed nothing."""

from datetime import UTC, datetime
from typing import Any

from goodfit.tracking import ModelRegistry

NAMES = ("outcome", "reason", "champion", "version")


def history(registry: ModelRegistry) -> dict[str, Any]:
    """Return the decisions and the retrains, the first first, as JSON-able values."""
    return {
        "model": registry.model,
        "aliases": registry.versions.aliases(),
        "decisions": [decision.to_dict() for decision in registry.succession.history()],
        "retrains": [
            {
                "at": datetime.fromtimestamp(run.began, UTC).isoformat(timespec="seconds"),
                "run": run.id,
                "status": run.status,
                **{name: run.tags.get(f"goodfit.{name}") for name in NAMES},
                "error": run.tags.get("goodfit.error"),
            }
            for run in registry.retrains()
        ],
    }
