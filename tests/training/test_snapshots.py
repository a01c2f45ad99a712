"""The snapshot ensemble: which networks predict together, what is judged, and what is on disk."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from goodfit.bundle import Bundle, Ensemble, load_bundle, save_bundle
from goodfit.data import Schema
from goodfit.errors import ConfigurationError, DataError
from goodfit.files import read_json, write_json
from goodfit.training import Candidate, Fitted, Recipe, TrainingData, fit, fit_population
from goodfit.training.population.group import Group
from goodfit.training.population.rows import RowStore
from goodfit.training.start import started

Made = Callable[..., tuple[Recipe, TrainingData]]
ON = {"snapshot_ensemble": {"enabled": True}}
ENDS = [10, 30, 70]
"""Of the cycles of seven epochs of ten steps."""


def fitted(made: tuple[Recipe, TrainingData]) -> Fitted:
    return fit(*made, seed=1, state=None, progress=False)


def rows(data: TrainingData) -> tuple[Tensor, Tensor]:
    return torch.from_numpy(data.valid.numeric), torch.from_numpy(data.valid.categorical)


def test_networks_are_those_at_the_ends_of_the_last_cycles(make: Made, stepped: list[Tensor]) -> None:
    recipe, data = make(regularization=ON, training={"epochs": 7})
    standing = started(Candidate(0, recipe, seed=1, data=data))
    group = Group([standing], *RowStore().prepared(standing))
    expected = {1: [10], 2: [20, 10], 3: [30, 10], 4: [40, 30, 10], 6: [60, 30, 10], 7: [70, 30, 10]}
    for epoch in range(1, 8):
        group.epoch()
        kept = [torch.cat([state[name].flatten() for name in group.stack.layout]) for state in group.kept.of(0)]
        if epoch in expected:
            assert len(kept) == len(expected[epoch])
            for network, count in zip(kept, expected[epoch], strict=True):
                assert torch.equal(network, stepped[count - 1]), (epoch, count)
    assert list(standing.schedule.cycle_ends(70)) == ENDS


@pytest.mark.parametrize("target", ["churn", "level", "price"])
def test_what_is_judged_is_the_mean_of_their_predictions(make: Made, target: str) -> None:
    settings = {**ON, "batch_norm": {"enabled": True}, "dropout": {"p": 0.1}}
    recipe, data = make(target, regularization=settings, training={"epochs": 7})
    found = fitted((recipe, data))
    assert isinstance(found.model, Ensemble)
    assert len(found.model.members) == 3
    task = started(Candidate(0, recipe, seed=1, data=data)).member.task
    wanted = torch.from_numpy(data.valid_target)
    with torch.inference_mode():
        alone = [member(*rows(data)) for member in found.model.members]
        together = found.model(*rows(data))
        mean = torch.stack([task.predict(scores) for scores in alone]).mean(dim=0)
        torch.testing.assert_close(task.predict(together), mean)
        assert float(task.loss(together, wanted.to(task.target_dtype)).mean()) == pytest.approx(
            found.valid_loss, abs=1e-6
        )
    if target == "price":
        expected = float((mean - wanted).square().mean())
    else:
        expected = float(-mean[torch.arange(len(wanted)), wanted].log().mean())
    assert found.valid_loss == pytest.approx(expected, abs=1e-5)
    assert found.parameters == 3 * sum(p.numel() for p in found.model.members[0].parameters())
    assert len({tuple(member.head.weight.flatten().tolist()) for member in found.model.members}) == 3


def test_members_alone_and_together_with_others(make: Made) -> None:
    settings = [ON, {}, {"snapshot_ensemble": {"enabled": True, "last": 2}}, {**ON, "swa": {"enabled": True}}]
    schedule = {"kind": "cosine_restarts"}
    made = [make(regularization=one, training={"epochs": 4, "schedule": schedule}) for one in settings]
    candidates = [Candidate(number, recipe, 7, made[0][1]) for number, (recipe, _) in enumerate(made)]
    together = {found.number: found.fitted for found in fit_population(candidates, state=None)}
    counts = []
    for candidate in candidates:
        many = together[candidate.number]
        one = fit(candidate.recipe, candidate.data, seed=7, state=None, progress=False)
        assert many is not None
        assert many.valid_loss == pytest.approx(one.valid_loss, abs=1e-5)
        counts.append(len(many.model.members) if isinstance(many.model, Ensemble) else 1)
        for name, tensor in one.model.state_dict().items():
            torch.testing.assert_close(many.model.state_dict()[name], tensor, atol=1e-5, rtol=1e-3)
    assert counts == [3, 1, 2, 3]


def bundle(made: tuple[Recipe, TrainingData], schema: Schema, model: Any) -> Bundle:
    recipe, data = made
    return Bundle(schema, data.preprocessor, recipe.model, recipe.regularization, model)


def test_a_bundle_holds_all_networks(make: Made, schema: Schema, tmp_path: Path) -> None:
    made = make(regularization={**ON, "batch_norm": {"enabled": True}}, training={"epochs": 7})
    saved = bundle(made, schema, fitted(made).model)
    save_bundle(tmp_path / "bundle", saved)
    loaded = load_bundle(tmp_path / "bundle")
    assert isinstance(saved.model, Ensemble)
    assert isinstance(loaded.model, Ensemble)
    assert np.array_equal(loaded.answers(made[1].valid), saved.answers(made[1].valid))
    alone = [bundle(made, schema, network).answers(made[1].valid) for network in saved.model.members]
    np.testing.assert_allclose(saved.answers(made[1].valid), np.mean(alone, axis=0), atol=1e-6)


@pytest.mark.parametrize(
    ("networks", "rule"), [(2, "which the model does not have"), (4, "lacks"), (10_000, "networks")]
)
def test_a_bundle_that_says_another_number_of_networks_is_refused(
    make: Made, schema: Schema, tmp_path: Path, networks: int, rule: str
) -> None:
    made = make(regularization=ON, training={"epochs": 7})
    save_bundle(tmp_path, bundle(made, schema, fitted(made).model))
    record, manifest = tmp_path / "bundle.json", tmp_path / "manifest.json"
    write_json(record, read_json(record) | {"networks": networks})
    sealed = read_json(manifest)["files"] | {"bundle.json": hashlib.sha256(record.read_bytes()).hexdigest()}
    write_json(manifest, {"files": sealed})
    with pytest.raises(DataError, match=rule):
        load_bundle(tmp_path)


def test_a_schedule_without_cycles_is_refused(make: Made) -> None:
    recipe, data = make(regularization=ON, training={"schedule": {"kind": "cosine"}})
    with pytest.raises(ConfigurationError, match="snapshot_ensemble: acts at the ends of the learning rate's cycles"):
        fitted((recipe, data))
