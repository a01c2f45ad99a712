"""Is there anything new at all: answered in a moment, without the tracker and without reading a row."""

import time
from pathlib import Path

from goodfit.params import load_params
from goodfit.registry import Section
from goodfit.retraining.fingerprint import fingerprint
from goodfit.retraining.receipt import Receipt, still_holds
from goodfit.sources import SourceSection


class SourceParams(Section):
    """Where the rows come from."""

    source: SourceSection


def nothing_new(root: Path) -> Receipt | None:
    """Return what the last retrain came to if nothing has changed since: no data, no settings, no date that is due."""
    source = load_params(root / "params.yaml", SourceParams).source
    return still_holds(root, fingerprint(source, root), time.time())
