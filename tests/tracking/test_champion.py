"""What a search hears of the champion."""

from pathlib import Path

import mlflow
import pytest

from goodfit.errors import ServiceError
from goodfit.tracking import Tracker, TrackingSection, champion_settings, model_registry

PARAMS = {"model.width": 64, "model.activation": "tanh", "training.optimizer.lr": 1e-4, "model.widths": None}


def test_nobody_is_champion_of_a_model_that_is_not_registered(root: Path, section: TrackingSection) -> None:
    assert champion_settings(section, root) == {}


def test_settings_come_back_as_they_were_set(root: Path, section: TrackingSection) -> None:
    with Tracker(section, root) as tracker:
        with tracker.candidate("a1", params=PARAMS) as run:
            run.finish("FINISHED")
        assert tracker.flush(30)
        number = run.id
    with model_registry(section, root):
        pass
    client = mlflow.MlflowClient(f"sqlite:///{root}/mlflow.db")
    version = client.create_model_version(section.model_name, "somewhere", run_id=number).version
    assert champion_settings(section, root) == {}, "registered is not champion"
    client.set_registered_model_alias(section.model_name, "champion", version)
    assert champion_settings(section, root) == PARAMS


def test_a_store_that_is_down_says_so(root: Path) -> None:
    section = TrackingSection(experiment="e", model_name="m", uri="http://127.0.0.1:9")
    with pytest.raises(ServiceError):
        champion_settings(section, root)
