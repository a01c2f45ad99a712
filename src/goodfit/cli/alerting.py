"""What `goodfit retrain` came to, told to people."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from goodfit.errors import GoodfitError, Interrupted
from goodfit.params import load_params
from goodfit.registry import Section
from goodfit.retraining.outcome import Outcome
from goodfit.stage import say
from goodfit.tracking.section import TrackingSection

if TYPE_CHECKING:
    from goodfit.alerts import AlertsSection

DAY = 86_400.0
NAMED = 10


@contextmanager
def alerting(root: Path, *, quiet: bool = False) -> Iterator[Callable[[Outcome], None]]:
    """Tell of a failure in the block, and of the outcome that the block hands to the function it is given.

    Args:
        root: the workspace.
        quiet: tell nobody, as for a dry run.
    """
    try:
        yield lambda outcome: None if quiet else _tell_outcome(root, outcome)
    except (KeyboardInterrupt, Interrupted):
        raise
    except Exception as error:
        if not quiet:
            _tell_failure(root, error)
        raise


def _settings(root: Path) -> "tuple[AlertsSection, TrackingSection] | None":
    """Return the sections, None where nobody is to be told."""
    from goodfit.alerts import AlertsSection

    class Params(Section):
        """Who is told, of which model."""

        alerts: AlertsSection = AlertsSection()
        tracking: TrackingSection

    try:
        params = load_params(root / "params.yaml", Params)
    except GoodfitError as error:
        say(f"alerts: nobody can be told: {error}", stderr=True)
        return None
    return (params.alerts, params.tracking) if params.alerts.channels else None


def _tell_failure(root: Path, error: Exception) -> None:
    from goodfit.alerts import Alert, notify

    settings = _settings(root)
    if settings is None:
        return
    alerts, tracking = settings
    code = error.exit_code if isinstance(error, GoodfitError) else 1
    text = f"goodfit retrain failed with exit code {code}; the champion stays.\n{error}"
    notify(alerts, Alert("failure", tracking.model_name, text, {"exit_code": code}), root)
    _tell_stale(root, alerts, tracking)


def _tell_outcome(root: Path, outcome: Outcome) -> None:
    from goodfit.alerts import Alert, notify

    settings = _settings(root)
    if settings is None:
        return
    alerts, tracking = settings
    facts = {"status": outcome.status, "champion": outcome.champion, "version": outcome.version, "run": outcome.run}
    served = outcome.drift.get("served", {}).get("drifted", [])
    drifted = [*outcome.drift.get("drifted", []), *(f"{name} as served" for name in served)]
    if drifted:
        named = ", ".join(drifted[:NAMED]) + (f" and {len(drifted) - NAMED} more" if len(drifted) > NAMED else "")
        text = f"{len(drifted)} columns of the new rows have drifted: {named}."
        notify(alerts, Alert("drift", tracking.model_name, text, {**facts, "drifted": drifted}), root)
    if outcome.status == "promoted":
        notify(alerts, Alert("promotion", tracking.model_name, outcome.sentence, facts), root)
    _remember(root, tracking, outcome)
    _tell_stale(root, alerts, tracking)


def _remember(root: Path, tracking: TrackingSection, outcome: Outcome) -> None:
    """Note since when the champion is there; the registry is asked only where it is another one than before."""
    from goodfit.alerts.memory import keep_memory, read_memory

    memory = read_memory(root)
    if outcome.status == "nothing_new" or outcome.champion == memory.champion:
        return
    memory.champion, memory.made = outcome.champion, _made(root, tracking, outcome)
    keep_memory(root, memory)


def _made(root: Path, tracking: TrackingSection, outcome: Outcome) -> float:
    from goodfit.tracking import model_registry

    if outcome.champion is None or outcome.status == "promoted":
        return time.time()
    try:
        with model_registry(tracking, root) as registry:
            version = registry.versions.get(outcome.champion)
    except GoodfitError:
        return time.time()
    return version.created / 1000 if version else time.time()


def _tell_stale(root: Path, alerts: "AlertsSection", tracking: TrackingSection) -> None:
    from goodfit.alerts import Alert, notify
    from goodfit.alerts.memory import read_memory

    memory = read_memory(root)
    if memory.champion is None or time.time() - memory.made < alerts.stale_days * DAY:
        return
    text = f"The champion, version {memory.champion}, was made more than {alerts.stale_days:g} days ago."
    facts = {"champion": memory.champion, "days": round((time.time() - memory.made) / DAY, 1)}
    notify(alerts, Alert("stale", tracking.model_name, text, facts), root)
