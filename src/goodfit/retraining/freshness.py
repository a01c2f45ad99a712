"""Is there anything new at all: answered in a moment, without the tracker and without reading a row."""

import time
from pathlib import Path

from goodfit.params import load_params
from goodfit.registry import Section
from goodfit.retraining.fingerprint import fingerprint
from goodfit.retraining.receipt import Receipt, still_holds
from goodfit.retraining.section import RetrainSection
from goodfit.retraining.served import Served
from goodfit.sources import SourceSection


class SourceParams(Section):
    """Where the rows come from, and whether those that were served count."""

    source: SourceSection
    retrain: RetrainSection = RetrainSection()


def nothing_new(root: Path, served: Served | None = None) -> Receipt | None:
    """Return what the last retrain came to if nothing has changed since: no data, no settings, no date that is due."""
    params = load_params(root / "params.yaml", SourceParams)
    state = served.state() if served is not None and params.retrain.drift.served else ""
    return still_holds(root, fingerprint(params.source, root), state, time.time())
