"""Train a search's best settings, and make the chosen ones one model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from goodfit.bundle import Bundle, Ensemble, Part, networks_in
from goodfit.data import Schema
from goodfit.ensembling.selection import Selection, alike, select
from goodfit.registry import Section
from goodfit.tasks import task_named
from goodfit.training import (
    Candidate,
    FitSections,
    Fitted,
    Found,
    Refitted,
    TrainingData,
    derived,
    fit_population,
)

OWN = -1
"""The trial of the best settings themselves, which are trained by themselves; -2, -3, ... are they from other seeds."""


@dataclass(frozen=True)
class Volume:
    """A model to choose from.

    Args:
        trial: whose settings it has; OWN, or less, for the best ones.
        model, regularization: its options.
        fitted: the trained network.
    """

    trial: int
    model: Section
    regularization: Section
    fitted: Fitted

    def bundle(self, like: Bundle) -> Bundle:
        """Return the model by itself, as one that takes raw rows."""
        return replace(like, model_options=self.model, regularization=self.regularization, model=self.fitted.model)

    def found(self, sections: FitSections, schema: Schema) -> Found:
        """Return what a refit needs to know of it, from the sections that it was trained by."""
        seed = sections.seed if self.trial == OWN else derived(sections.seed, "ensemble", self.trial)
        return Found(sections.recipe(schema), seed, self.fitted.best_epoch)


def mates(
    best: FitSections, others: Mapping[int, FitSections], count: int, new_seeds: float = 0.5
) -> dict[int, FitSections]:
    """Return what to train beside the best settings for an ensemble: other settings, and the best from new seeds.

    Seeds differ in what chance did, settings in what they can do, and the valid rows choose among both. Measured on
    three tables (16 of each beside 14 other settings alone, five votes, one split): the loss on test was lower on all.

    Args:
        best: the best settings.
        others: the next best ones by trial, the best first; those that prepare their rows otherwise are passed over.
        count: how many.
        new_seeds: share that is the best settings from new seeds; more where other settings lack.
    """
    same = [(t, s) for t, s in others.items() if s.training.preprocessing == best.training.preprocessing]
    chosen = dict(same[: int(count * (1 - new_seeds))])
    return chosen | {OWN - 1 - place: best for place in range(count - len(chosen))}


def trained(settings: Mapping[int, FitSections], schema: Schema, data: TrainingData, state: Path) -> list[Volume]:
    """Train settings as one population; those that fail are left out.

    Args:
        settings: sections by trial; their preprocessing is that of `data`.
        schema: what the columns mean.
        data: train and valid rows.
        state: folder for checkpoints.

    Raises:
        MachineError, ServiceError: see `fit_population`.
    """
    candidates = [
        Candidate(trial, sections.recipe(schema), derived(sections.seed, "ensemble", trial), data)
        for trial, sections in settings.items()
    ]
    return [
        Volume(one.number, settings[one.number].model, settings[one.number].regularization, one.fitted)
        for one in fit_population(candidates, state=state)
        if one.fitted is not None
    ]


def assembled_of(
    library: Sequence[Volume], like: Bundle, data: TrainingData, votes: int | None
) -> tuple[Bundle, Selection]:
    """Return the ensemble that is chosen on the valid rows, the best model first; one model where none helps it.

    Args:
        library: models to choose from.
        like: schema and preprocessor of all of them.
        data: the rows; weights were fitted on the train rows, so that the valid rows judge.
        votes: at most; None is one for each model.
    """
    task = task_named(like.task)
    logits = [volume.bundle(like).logits_of(data.valid) for volume in library]
    target = torch.from_numpy(data.valid_target)
    selection = alike(logits, target, task) if votes is None else select(logits, target, task, votes)
    chosen = [(library[place], selection.votes[place]) for place in selection.members]
    first = chosen[0][0].bundle(like)
    if len(chosen) == 1:
        return first, selection
    model = Ensemble([volume.fitted.model for volume, _ in chosen], task, [count for _, count in chosen])
    parts = [Part(v.model, v.regularization, count, networks=networks_in(v.fitted.model)) for v, count in chosen]
    return replace(first, model=model.eval(), parts=tuple(parts)), selection


def refitted(bundle: Bundle, again: Refitted) -> Bundle:
    """Return a bundle with the networks of a refit, one for each of its parts, in order; all else stays as it is."""
    models, data = [one.model for one in again.fitted], again.data
    parts = tuple(
        replace(part, networks=networks_in(model))
        for part, model in zip(bundle.parts, models, strict=bool(bundle.parts))
    )
    votes = [part.votes for part in parts]
    model = Ensemble(models, task_named(bundle.task), votes).eval() if parts else models[0]
    trained_on = ("train", "valid")
    return replace(bundle, preprocessor=data.preprocessor, model=model, parts=parts, trained_on=trained_on)
