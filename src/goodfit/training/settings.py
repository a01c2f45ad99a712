"""The sections of params.yaml that decide a fit: what `tune` varies and `train` uses."""

from typing import TYPE_CHECKING, Self

from pydantic import Field

from goodfit.data import Schema
from goodfit.models import MODELS
from goodfit.params import Seed
from goodfit.registry import Section
from goodfit.regularizers import RegularizationSection
from goodfit.training.batches import usual_batch
from goodfit.training.recipe import Recipe
from goodfit.training.section import TrainingSection

if TYPE_CHECKING:  # a model that is made at run time is no type to a type checker
    Settings = Section
else:
    Settings = RegularizationSection


class FitSections(Section):
    """Everything in params.yaml that decides the weights, besides the data.

    Options:
        seed: of everything random: the split, the weights, the order of the rows, the search.
        model: the network.
        regularization: every regularizer, off unless it is set.
        training: how long, in which steps and on what.
    """

    seed: Seed
    model: MODELS.section()  # type: ignore[valid-type]
    regularization: Settings = RegularizationSection()
    training: TrainingSection = Field(default_factory=TrainingSection)

    def settled(self, rows: int) -> Self:
        """Return the sections with what the number of train rows decides, where params.yaml leaves it open."""
        if self.training.batch_size is not None:
            return self
        training = self.training.model_copy(update={"batch_size": usual_batch(rows)})
        return self.model_copy(update={"training": training})

    def recipe(self, schema: Schema) -> Recipe:
        """Return what `fit` needs to know besides the data."""
        return Recipe(self.model, self.regularization, self.training, schema.task, len(schema.classes))
