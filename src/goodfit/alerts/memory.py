"""What was told when, and how old the champion is: kept in the workspace, so that nothing is told every hour."""

from dataclasses import asdict, dataclass, field
from pathlib import Path

from goodfit.alerts.alert import Alert
from goodfit.files import digest_of_value, read_json, write_json

PATH = Path(".goodfit/alerts.json")
HOUR = 3600.0
KEPT = 200


@dataclass
class Memory:
    """What is remembered.

    Args:
        told: digest of an alert to when it was told, in seconds since the epoch.
        champion: version that is champion, None for none.
        made: when that version was made, in seconds since the epoch.
    """

    told: dict[str, float] = field(default_factory=dict)
    champion: int | None = None
    made: float = 0.0

    def fresh(self, alert: Alert, now: float, hours: float) -> bool:
        """Tell whether the alert was not told within so many hours; a promotion happens once."""
        return alert.kind == "promotion" or now - self.told.get(_key(alert), -1e18) >= hours * HOUR

    def note(self, alert: Alert, now: float) -> None:
        """Remember that it was told."""
        self.told[_key(alert)] = now
        self.told = dict(sorted(self.told.items(), key=lambda item: item[1])[-KEPT:])


def read_memory(root: Path) -> Memory:
    """Return what is remembered; nothing where the file is not there or damaged."""
    try:
        return Memory(**read_json(root / PATH))
    except (OSError, ValueError, TypeError):
        return Memory()


def keep_memory(root: Path, memory: Memory) -> None:
    """Write it down."""
    write_json(root / PATH, asdict(memory))


def _key(alert: Alert) -> str:
    return digest_of_value([alert.kind, alert.model, alert.text])[:16]
