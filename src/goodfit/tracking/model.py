"""The bundle as an MLflow model: data only, loaded by the installed package, never by code from the bundle."""

import json
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import goodfit
from goodfit.stage import failpoint
from goodfit.tracking.events import Event

if TYPE_CHECKING:
    from mlflow import MlflowClient

LOADER = "goodfit.bundle"
TYPES = {
    "bool": "boolean",
    "boolean": "boolean",
    "datetime": "datetime",
    "float": "double",
    "int": "long",
    "uint": "long",
}
"""The letters of a pandas dtype's name to MLflow's column type; everything else is text."""


def column_type(dtype: object) -> str:
    """Return MLflow's column type of a pandas dtype: Int64 and int8 are long, category and str are string."""
    letters = re.match("[a-z]*", str(dtype).lower())
    return TYPES.get(letters.group() if letters else "", "string")


def log_model(client: "MlflowClient", experiment: str, run_id: str, event: Event, bundle: Path) -> None:
    """Log the bundle as a pyfunc model of a run, once: a model with the same digest is left alone or completed.

    Args:
        client: of the store.
        experiment: the experiment's id.
        run_id: the run that produced the model.
        event: body `digest`, `inputs` and `outputs` (lists of name and MLflow type) and `example` (split orient).
        bundle: the bundle's folder.
    """
    from mlflow.entities import LoggedModelOutput

    digest = event.body["digest"]
    model = _found(client, experiment, run_id, digest)
    if model is not None and model.status == "READY":
        return
    if model is None:
        tags = {"goodfit.bundle": digest, "goodfit.attempt": event.run}
        model = client.create_logged_model(experiment, "model", run_id, tags)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model"
        _save(path, bundle, event.body, run_id, model)
        failpoint("track.uploading")  # K19: the model is registered with the run, its files are not there
        client.log_model_artifacts(model.model_id, str(path))
    client.log_outputs(run_id, [LoggedModelOutput(model.model_id, step=0)])
    client.finalize_logged_model(model.model_id, "READY")


def _found(client: "MlflowClient", experiment: str, run_id: str, digest: str) -> Any:
    condition = f"source_run_id = '{run_id}' AND tags.`goodfit.bundle` = '{digest}'"
    found = list(client.search_logged_models([experiment], condition))
    for surplus in found[1:]:
        client.delete_logged_model(surplus.model_id)
    return found[0] if found else None


def _save(path: Path, bundle: Path, body: Mapping[str, Any], run_id: str, model: Any) -> None:
    import mlflow.pyfunc
    from mlflow.models import Model
    from mlflow.models.signature import ModelSignature
    from mlflow.types.schema import ColSpec, Schema

    signature = ModelSignature(
        Schema([ColSpec(kind, name, required=False) for name, kind in body["inputs"]]),
        Schema([ColSpec(kind, name) for name, kind in body["outputs"]]),
    )
    description = Model(artifact_path=model.artifact_location, run_id=run_id, model_id=model.model_id)
    mlflow.pyfunc.save_model(
        str(path),
        loader_module=LOADER,
        data_path=str(bundle),
        mlflow_model=description,
        signature=signature,
        pip_requirements=[f"goodfit=={goodfit.__version__}"],
    )
    _write_example(path, description, body["example"])


def _write_example(path: Path, description: Any, example: Mapping[str, Any] | None) -> None:
    """Write the input example ourselves: MLflow would load the model in another process to try it."""
    if not example:
        return
    (path / "input_example.json").write_text(json.dumps(example))
    (path / "serving_input_example.json").write_text(json.dumps({"dataframe_split": example}))
    description.saved_input_example_info = {
        "artifact_path": "input_example.json",
        "pandas_orient": "split",
        "serving_input_path": "serving_input_example.json",
        "type": "dataframe",
    }
    description.save(str(path / "MLmodel"))
