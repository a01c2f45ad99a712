"""The tracking store: reachable, nothing unsent, no run left open by a dead process."""

from collections.abc import Iterator
from pathlib import Path

from goodfit.doctor.finding import Finding
from goodfit.errors import GoodfitError
from goodfit.params import load_params
from goodfit.registry import Section
from goodfit.tracking import Outage, Tracker, TrackingSection


class _Params(Section):
    tracking: TrackingSection


def examine_tracker(root: Path) -> Iterator[Finding]:
    """Send what waits and close the runs of dead processes; both are what any stage does when it starts."""
    try:
        tracker = Tracker(load_params(root / "params.yaml", _Params).tracking, root)
        sent, closed = tracker.sync(), tracker.close_orphans()
    except Outage as error:
        yield Finding("tracker", False, f"does not answer: {error}. Start it, then run goodfit sync.")
        return
    except GoodfitError as error:
        yield Finding("tracker", False, str(error))
        return
    yield Finding("tracker", True, f"answers; {sent} waiting operations sent, {closed} abandoned runs closed")
