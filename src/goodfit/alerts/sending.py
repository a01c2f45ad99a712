"""Send an alert over every channel. Whatever goes wrong is said and changes nothing about the retrain."""

import time
from pathlib import Path
from typing import Any

from goodfit.alerts.alert import Alert
from goodfit.alerts.channels import CHANNELS, Undelivered
from goodfit.alerts.memory import keep_memory, read_memory
from goodfit.alerts.section import AlertsSection
from goodfit.errors import printable
from goodfit.stage import say
from goodfit.tracking.redaction import redact, redact_values

PAUSES = (1.0, 4.0)
"""Seconds between the attempts."""
LONGEST = 4000


def notify(section: AlertsSection, alert: Alert, root: Path) -> list[str]:
    """Tell an alert over every channel, unless it is not asked for or was told not long ago.

    Args:
        section: whom to tell what.
        alert: what happened; secrets are masked here.
        root: the workspace.

    Returns:
        why it did not arrive, for each channel that failed.
    """
    memory, now = read_memory(root), time.time()
    if alert.kind not in section.on or not memory.fresh(alert, now, section.repeat_hours):
        return []
    clean = Alert(alert.kind, alert.model, _clean(alert.text), redact_values(dict(alert.facts)))
    faults = [fault for options in section.channels if (fault := _sent(options, clean))]
    for fault in faults:
        say(f"alerts: {fault}", stderr=True)
    if section.channels and len(faults) < len(section.channels):
        memory.note(alert, now)
        keep_memory(root, memory)
    return faults


def _sent(options: Any, alert: Alert) -> str | None:
    """Send over one channel; return why it failed, None if it did not."""
    for pause in (*PAUSES, None):
        try:
            CHANNELS.build(options).send(alert)
            return None
        except Undelivered as error:
            if pause is None or error.lasting:
                return f"{options.kind}: not delivered: {redact(str(error))}"
            time.sleep(pause)
        except Exception as error:  # an alert must never end a retrain
            return f"{options.kind}: not delivered: {type(error).__name__}"
    return None


def _clean(text: str) -> str:
    return "\n".join(printable(line) for line in redact(text)[:LONGEST].split("\n"))
