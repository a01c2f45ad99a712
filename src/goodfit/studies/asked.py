"""The studies that the `evaluate` section asks for."""

from collections.abc import Callable
from pathlib import Path

from goodfit.evaluation import EvaluateSection, Finding
from goodfit.studies.ablation import ablate
from goodfit.studies.chosen import Chosen
from goodfit.studies.learning_curve import learning_curve


def asked_studies(chosen: Callable[[], Chosen], section: EvaluateSection, state: Path) -> dict[str, Finding]:
    """Return the finding of each study that is enabled, by the name of its section.

    Args:
        chosen: returns what is trained again; asked only where a study is.
        section: the `evaluate` section.
        state: folder for checkpoints.
    """
    found: dict[str, Finding] = {}
    if section.ablation.enabled:
        found["ablation"] = ablate(chosen(), section.ablation, state / "ablation")
    if section.learning_curve.enabled:
        found["learning_curve"] = learning_curve(chosen(), section.learning_curve, state / "learning_curve")
    return found
