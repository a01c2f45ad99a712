"""Train a search's best settings, and make the chosen ones one model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from goodfit.bundle import Bundle, Ensemble, Part, networks_in
from goodfit.data import Schema
from goodfit.ensembling.selection import Selection, select
from goodfit.registry import Section
from goodfit.tasks import task_named
from goodfit.training import Candidate, FitSections, Fitted, TrainingData, derived, fit_population


@dataclass(frozen=True)
class Volume:
    """A model to choose from.

    Args:
        trial: whose settings it has.
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


def assembled_of(library: Sequence[Volume], like: Bundle, data: TrainingData, votes: int) -> tuple[Bundle, Selection]:
    """Return the ensemble that is chosen on the valid rows, the best model first; one model where none helps it.

    Args:
        library: models to choose from.
        like: schema and preprocessor of all of them.
        data: the rows; weights were fitted on the train rows, so that the valid rows judge.
        votes: at most.
    """
    task = task_named(like.task)
    logits = [volume.bundle(like).logits_of(data.valid) for volume in library]
    selection = select(logits, torch.from_numpy(data.valid_target), task, votes)
    chosen = [(library[place], selection.votes[place]) for place in selection.members]
    first = chosen[0][0].bundle(like)
    if len(chosen) == 1:
        return first, selection
    model = Ensemble([volume.fitted.model for volume, _ in chosen], task, [count for _, count in chosen])
    parts = [Part(v.model, v.regularization, count, networks=networks_in(v.fitted.model)) for v, count in chosen]
    return replace(first, model=model.eval(), parts=tuple(parts)), selection
