"""The settings of the champion, for a search to begin with."""

import json
from pathlib import Path
from typing import Any

from goodfit.tracking.model_registry import model_registry
from goodfit.tracking.section import TrackingSection
from goodfit.tracking.versions import CHAMPION
from goodfit.tracking.write_once import Unregistered


def champion_settings(section: TrackingSection, root: Path) -> dict[str, Any]:
    """Return the params of the run that the champion comes from, by dotted option; none where there is no champion.

    Args:
        section: the `tracking` section.
        root: the workspace.

    Raises:
        ServiceError: the store does not answer, or refuses.
    """
    try:
        with model_registry(section, root, make=False) as registry:
            number = registry.versions.aliases().get(CHAMPION)
            version = None if number is None else registry.versions.get(number)
            run = None if version is None else registry.run(version.run_id)
    except Unregistered:
        return {}
    return {} if run is None else {name: _value(text) for name, text in run.params.items()}


def _value(text: str) -> Any:
    """Return what `value_text` was given: JSON, or text as it is."""
    try:
        return json.loads(text)
    except ValueError:
        return text
