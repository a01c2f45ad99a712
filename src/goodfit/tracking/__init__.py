"""MLflow, and the promise that it tells the truth: one run per attempt, complete, sent once, known to be current."""

from goodfit.tracking.champion import champion_settings
from goodfit.tracking.fetching import Fetched, fetch_model
from goodfit.tracking.figures import cost_metrics, evaluation_metrics, shown_tables
from goodfit.tracking.model_registry import ModelRegistry, RecordedRun, model_registry
from goodfit.tracking.provenance import read_record, record_tags, run_record, search_attempt
from goodfit.tracking.record import Recorded, record
from goodfit.tracking.redaction import redact
from goodfit.tracking.run import Run
from goodfit.tracking.section import TrackingSection, address
from goodfit.tracking.store import Outage
from goodfit.tracking.succession import Decision
from goodfit.tracking.tracker import Tracker, trial_attempt
from goodfit.tracking.ui import ui_command
from goodfit.tracking.versions import CHALLENGER, CHAMPION, PREVIOUS, Version, parse_number
from goodfit.tracking.write_once import Unregistered

__all__ = [
    "CHALLENGER",
    "CHAMPION",
    "PREVIOUS",
    "Decision",
    "Fetched",
    "ModelRegistry",
    "Outage",
    "Recorded",
    "RecordedRun",
    "Run",
    "Tracker",
    "TrackingSection",
    "Unregistered",
    "Version",
    "address",
    "champion_settings",
    "cost_metrics",
    "evaluation_metrics",
    "fetch_model",
    "model_registry",
    "parse_number",
    "read_record",
    "record",
    "record_tags",
    "redact",
    "run_record",
    "search_attempt",
    "shown_tables",
    "trial_attempt",
    "ui_command",
]
