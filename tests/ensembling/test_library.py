"""From settings to one bundle that predicts as its models on average, and an inspection that says what it gains."""

import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from goodfit.bundle import Bundle, load_bundle, save_bundle
from goodfit.ensembling import TrainSection, Volume, assembled_of, mates, refitted, trained
from goodfit.evaluation import INSPECTIONS, EvaluateSection, evaluate
from goodfit.evaluation.bootstrap_section import BootstrapSection
from goodfit.params import check
from goodfit.training import FitSections, TrainingData, refit

spec = importlib.util.spec_from_file_location("made_up_problems", Path(__file__).parents[1] / "evaluation/conftest.py")
made_up = importlib.util.module_from_spec(spec)
spec.loader.exec_module(made_up)
world = made_up.world
OFF: dict[str, Any] = {kind: {"enabled": kind == "ensemble"} for kind in INSPECTIONS}
QUICK = EvaluateSection(bootstrap=BootstrapSection(resamples=100), **OFF)
SETTINGS = [("mlp", {"layers": 1, "width": 32}), ("mlp", {"layers": 2, "width": 16}), ("linear", {})]


def sections(kind: str, options: dict[str, Any]) -> FitSections:
    adam, steady = {"kind": "adam", "lr": 0.02}, {"kind": "constant"}
    training = {"epochs": 8, "batch_size": 64, "optimizer": adam, "schedule": steady}
    return check({"seed": 1, "model": {"kind": kind, **options}, "training": training}, FitSections, "params.yaml")


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_models_of_several_kinds_are_one_bundle(world: Any, tmp_path: Path, task: str) -> None:
    made = world(task)
    settings = {number: sections(*chosen) for number, chosen in enumerate(SETTINGS * 2)}
    first = settings[0]
    data = TrainingData.of(made.parts.train, made.parts.valid, first.training.preprocessing)
    library = trained(settings, made.schema, data, tmp_path / "state")
    assert sorted(volume.trial for volume in library) == list(range(6))
    like = Bundle(made.schema, data.preprocessor, first.model, first.regularization, library[0].fitted.model)
    bundle, selection = assembled_of(library, like, data, votes=7)
    assert len(bundle.parts) == len(selection.members) >= 2
    assert [part.votes for part in bundle.parts] == [selection.votes[place] for place in selection.members]
    save_bundle(tmp_path / "candidate", bundle)
    loaded = load_bundle(tmp_path / "candidate")
    frame = made.parts.test.frame
    assert loaded.predict(frame).tobytes() == bundle.predict(frame).tobytes()
    said = [library[place].bundle(like).predict(frame) for place in selection.members]
    mean = np.average(said, axis=0, weights=[part.votes for part in bundle.parts])
    np.testing.assert_allclose(bundle.predict(frame), mean, rtol=1e-5, atol=1e-5)
    assert loaded.best_part.predict(frame).tobytes() == said[0].tobytes()
    found = evaluate(loaded, made.parts, QUICK, 7).to_dict()["inspections"]["ensemble"]
    assert (found["models"], found["votes"]) == (len(bundle.parts), sum(selection.votes))
    assert found["difference_low"] <= found["difference"] <= found["difference_high"]


def worst_first_of(world: Any, tmp_path: Path) -> tuple[Any, list[Volume], Bundle, TrainingData]:
    """A library of three kinds of model, the best on valid last, and what makes a bundle of it."""
    made = world("binary")
    settings = {number: sections(*chosen) for number, chosen in enumerate(SETTINGS)}
    first = settings[0]
    data = TrainingData.of(made.parts.train, made.parts.valid, first.training.preprocessing)
    library = trained(settings, made.schema, data, tmp_path / "state")
    like = Bundle(made.schema, data.preprocessor, first.model, first.regularization, library[0].fitted.model)
    return made, sorted(library, key=lambda volume: -volume.fitted.valid_loss), like, data


def test_equal_votes_make_a_bundle_of_everyone_in_which_the_best_comes_first(world: Any, tmp_path: Path) -> None:
    made, worst_first, like, data = worst_first_of(world, tmp_path)
    bundle, selection = assembled_of(worst_first, like, data, votes=None)
    assert ([part.votes for part in bundle.parts], selection.members) == ([1, 1, 1], [2, 0, 1])
    best = worst_first[-1].bundle(like)
    assert np.array_equal(bundle.best_part.predict(made.parts.test.frame), best.predict(made.parts.test.frame))


def test_each_model_of_an_ensemble_is_trained_again_and_keeps_its_votes(world: Any, tmp_path: Path) -> None:
    made = world("binary")
    settings = {number: sections(*chosen) for number, chosen in enumerate(SETTINGS * 2)}
    data = TrainingData.of(made.parts.train, made.parts.valid, settings[0].training.preprocessing)
    library = trained(settings, made.schema, data, tmp_path / "state")
    first = settings[0]
    like = Bundle(made.schema, data.preprocessor, first.model, first.regularization, library[0].fitted.model)
    before, selection = assembled_of(library, like, data, votes=7)
    chosen = [library[place] for place in selection.members]
    found = [volume.found(settings[volume.trial], made.schema) for volume in chosen]
    assert [one.epochs for one in found] == [volume.fitted.best_epoch for volume in chosen]
    again = refit(found, (made.parts.train, made.parts.valid))
    after = refitted(before, again)
    assert (before.trained_on, after.trained_on) == (("train",), ("train", "valid"))
    assert [part.votes for part in after.parts] == [part.votes for part in before.parts]
    save_bundle(tmp_path / "candidate", after)
    loaded, frame = load_bundle(tmp_path / "candidate"), made.parts.test.frame
    assert loaded.trained_on == ("train", "valid")
    assert loaded.predict(frame).tobytes() == after.predict(frame).tobytes() != before.predict(frame).tobytes()
    alone = [
        replace(after, model_options=v.model, model=one.model, parts=()).predict(frame)
        for v, one in zip(chosen, again.fitted, strict=True)
    ]
    mean = np.average(alone, axis=0, weights=[part.votes for part in after.parts])
    np.testing.assert_allclose(after.predict(frame), mean, rtol=1e-5, atol=1e-5)


def test_the_best_by_itself_comes_first(world: Any, tmp_path: Path) -> None:
    made, worst_first, like, data = worst_first_of(world, tmp_path)
    bundle, _ = assembled_of(worst_first, like, data, votes=5)
    best = worst_first[-1].bundle(like)
    assert np.array_equal(bundle.best_part.predict(made.parts.test.frame), best.predict(made.parts.test.frame))
    assert bundle.model_options == best.model_options


def test_three_settings_are_trained_for_each_vote() -> None:
    assert [TrainSection(ensemble=votes).library for votes in (1, 2, 5)] == [1, 6, 15]
    assert [TrainSection(ensemble=votes, votes="equal").library for votes in (2, 5)] == [2, 5]


def test_votes_of_one_model_are_refused() -> None:
    with pytest.raises(ValueError, match="one model has nobody to vote with"):
        TrainSection(votes="equal")


def test_half_are_other_settings_and_half_the_best_from_other_seeds() -> None:
    best, others = sections(*SETTINGS[0]), {trial: sections(*SETTINGS[1]) for trial in (7, 3, 9, 4)}
    prepared = {"preprocessing": {"scaling": "standard"}}
    others[3] = others[3].model_copy(update={"training": others[3].training.model_validate(prepared)})
    found = mates(best, others, 5)
    assert list(found) == [7, 9, -2, -3, -4]
    assert all(found[trial] == best for trial in (-2, -3, -4))
    assert list(mates(best, {}, 3)) == [-2, -3, -4]
    assert list(mates(best, others, 4, new_seeds=0.0)) == [7, 9, 4, -2]


def test_the_best_from_other_seeds_differ_and_are_refitted_as_they_were(world: Any, tmp_path: Path) -> None:
    made, best = world("binary"), sections(*SETTINGS[0])
    data = TrainingData.of(made.parts.train, made.parts.valid, best.training.preprocessing)
    one, other = trained(mates(best, {}, 2), made.schema, data, tmp_path / "state")
    assert one.fitted.valid_loss != other.fitted.valid_loss
    assert one.found(best, made.schema).seed != other.found(best, made.schema).seed != best.seed
