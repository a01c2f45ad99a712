"""`goodfit rollback`: the champion before this one, or any version, is champion again."""

import tempfile
from pathlib import Path

from goodfit.errors import ConfigurationError, Fault, GateError
from goodfit.retraining.fresh import FreshProcess
from goodfit.retraining.golden import evidence_of, golden_of, name_of
from goodfit.retraining.receipt import drop_receipt
from goodfit.retraining.verification import verify
from goodfit.tracking import Decision, ModelRegistry


def rollback(
    registry: ModelRegistry, root: Path, number: int | None, process: FreshProcess, reason: str = ""
) -> Decision:
    """Make a version champion, after a fresh process has loaded exactly what is registered and answered as it must.

    It does not wait for a retrain that is running: that one finds the decision and does not overrule it.

    Args:
        registry: the registered model.
        root: the workspace, whose next retrain looks at the registry again, and finishes this if it is cut short.
        number: the version; None for the champion before this one.
        process: that answers the golden batch.
        reason: what is written down.

    Raises:
        ConfigurationError: there is no such version, or no champion before this one.
        DataError: the version cannot be used.
        GateError: another decision came first.
    """
    head = registry.succession.settle()
    target = number if number is not None else before(registry.succession.history(), registry.model)
    version = registry.versions.get(target)
    if version is None:
        rule, remedy = "is no version of the model", "goodfit history lists them."
        raise ConfigurationError([Fault(f"version of '{registry.model}'", rule, target, remedy)])
    if head is not None and head.version == target:
        raise ConfigurationError([Fault(f"version {target}", "is champion already", None, "Name another one.")])
    with tempfile.TemporaryDirectory() as folder:
        golden = golden_of(evidence_of(registry, version, Path(folder) / "kept"), name_of(registry, version))
        verify(registry, version, golden, Path(folder) / "registered", process, exact=False)
    drop_receipt(root)
    words = reason or f"a person rolled back{'' if number is None else ' to a version of their choice'}"
    decision = registry.succession.decide(head, "rollback", target, words)
    if decision is None:
        remedy = "Look at goodfit history, then decide again."
        raise GateError([Fault("rollback", "another decision came first, and it stands", None, remedy)])
    return decision


def before(history: list[Decision], model: str) -> int:
    """Return the champion that was replaced when the one of now first came; going back twice goes back two steps.

    Raises:
        ConfigurationError: there was none.
    """
    now = history[-1].version if history else None
    first = next((d for d in history if d.version == now), None)
    if first is None or first.previous is None:
        rule = "has had no other champion before this one"
        raise ConfigurationError([Fault(f"model '{model}'", rule, None, "Name a version: goodfit history lists them.")])
    return first.previous
