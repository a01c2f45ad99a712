"""Bring a run's model back from the tracking store."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from goodfit.errors import ConfigurationError, Fault, ServiceError
from goodfit.tracking.courier import Courier
from goodfit.tracking.downloading import Artifacts
from goodfit.tracking.section import TrackingSection, address
from goodfit.tracking.store import Outage, Vanished, answering, check

RUN_ID = re.compile(r"[0-9a-f]{32}")
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Fetched:
    """A run's model.

    Args:
        bundle: the folder it was copied to.
        params: the run's settings by dotted name, as text.
        tags: the run's tags.
    """

    bundle: Path
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)


def fetch_model(section: TrackingSection, root: Path, run_id: str, folder: Path) -> Fetched:
    """Copy the bundle of a run into `folder`.

    Raises:
        ConfigurationError: no such run, or one without a model.
        DataError: it is too large, or no plain files.
        ServiceError: the store does not answer.
    """
    if not RUN_ID.fullmatch(run_id):
        remedy = "Give an MLflow run id of 32 hexadecimal digits, as run.json has one, or the folder of a bundle."
        raise ConfigurationError([Fault("run", "is neither a run's id nor a bundle's folder", run_id, remedy)])
    uri = address(section, root)
    check(uri)
    try:
        client, _ = Courier(root, uri, section.experiment).client()
        with answering():
            run = client.get_run(run_id)
            found = client.search_logged_models([run.info.experiment_id], f"source_run_id = '{run_id}'")
            ready = [model for model in found if model.status == "READY"]
            if not ready:
                raise _absent(run_id, "has no finished model")
            artifacts = Artifacts(str(ready[0].artifact_location), uri, f"run {run_id}")
            within = artifacts.folder_of(MANIFEST)
            bundle = artifacts.copy(within, folder) if within is not None else None
            if bundle is None:
                raise _absent(run_id, f"has no bundle: {MANIFEST} is missing in its model")
            return Fetched(bundle, run.data.params, run.data.tags)
    except Vanished as error:
        raise _absent(run_id, "is not in the tracking store") from error
    except Outage as error:
        remedy = "Start the store, or give the folder of a bundle."
        raise ServiceError([Fault("tracking", f"does not answer: {error}", None, remedy)]) from error


def _absent(run_id: str, rule: str) -> ConfigurationError:
    return ConfigurationError([Fault("run", rule, run_id, "goodfit ui shows the runs there are.")])
