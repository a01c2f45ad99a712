"""The `tune` section of params.yaml: how long to search, how, and over what."""

import math
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from goodfit.registry import Section, refuse
from goodfit.tuning.dimension import Dimension, Scalar
from goodfit.tuning.pruners import PRUNERS
from goodfit.tuning.samplers import SAMPLERS
from goodfit.tuning.task_lines import lines_for

__all__ = ["Dimension", "RescoreSection", "Scalar", "TuneSection"]


BATCH = 16
"""Trials at once; each batch costs half a second of its own."""
MANY_ROWS = 10_000
"""Train rows from which on half as many trials run at once. On diamonds (32,000 rows, 64 trials of 30 epochs, three
seeds) batches of 8 found a validation loss that was lower on two seeds and the same on one, for a sixth more epochs; on
churn (4,000 rows) they found about the same and took longer."""


def _by_name(value: Any) -> Any:
    """A name alone means that kind with its defaults."""
    return {"kind": value} if isinstance(value, str) else value


class RescoreSection(Section):
    """A second look at the best trials before one is chosen, so that luck does not win.

    Options:
        top: number of completed trials that are trained again; 0 chooses by the search's own value.
        seeds: how often each, with seeds that the search did not use; their mean alone decides.
    """

    top: Annotated[int, Field(ge=0, le=100)] = 0
    seeds: Annotated[int, Field(ge=1, le=100)] = 3


def weighs(against: str | None, sampler: str) -> bool:
    """Return whether a search has two objectives: a gap is one only for who asks for a front, else it chooses a trial.

    Args:
        against: the second objective, if any.
        sampler: by name.
    """
    return against is not None and (against != "gap" or sampler == "nsga2")


class TuneSection(Section):
    """The search for the best settings.

    Options:
        trials: number of trials that must finish, completed or pruned; a failed trial is replaced. 0 means no search.
        timeout: seconds of searching, over all resumes, after which trials end; the best goes on if none has completed.
        epochs: epochs of training, over all trials, after which trials end; the best goes on if none has completed.
        batch: number of trials that are proposed and trained at once, without knowing each other's results; the last
            two of a batch train on beside the next one, so that no core waits for them. Null is 16, and 8 from 10,000
            train rows on, where training takes so much longer than proposing that the sampler may learn more often.
        startup_trials: number of finished trials, chosen at random, before the sampler learns from them.
        max_failures: number of trials that may fail before the search gives up.
        sampler: how settings are proposed; a name alone stands for its defaults.
        pruner: which trials end early; a name alone stands for its defaults. Trials are compared by `valid/foreseen`,
            the lower one of the validation loss and of that of the mean of an epoch's later weights: about what it
            would be now, had the learning rate fallen already.
        folds: train each trial on so many folds of the train rows, made as the split was; their mean counts. 0: none.
        seeds: train each trial (and fold) so often with different seeds; the mean counts.
        rescore: a second look at the best trials.
        warm_start: begin with the settings of params.yaml and with known-good ones, as far as they lie in the space.
        champion: begin with the settings of the registered champion as well; what is found then depends on who that is
            when the search begins, so that another machine may find something else.
        objective: the metric of the validation rows that is minimized.
        against: a second objective, parameters (number of trained numbers) or latency (milliseconds to predict the
            valid rows), for samplers that take several; or gap, the generalization gap of the objective, which every
            sampler takes: one of one objective proposes as ever, and the gap decides at the end. Null means none.
        tolerance: of several objectives, the smallest `against` wins among trials whose objective is at most this share
            above the best.
        space: dotted option to the values it may take, below model, regularization or training; `choose.<name>` is a
            decision that only says which other options exist. Or the name of a shipped space: default, the model's own,
            or cocktail. Or lines beside `base`, that name: they go over the shipped ones, and null removes one.
    """

    trials: Annotated[int, Field(ge=0, le=100_000)] = 0
    timeout: Annotated[float, Field(gt=0)] | None = None
    epochs: Annotated[int, Field(ge=1)] | None = None
    batch: Annotated[int, Field(ge=1, le=1_024)] | None = None
    startup_trials: Annotated[int, Field(ge=1)] = 8
    max_failures: Annotated[int, Field(ge=0)] = 5
    sampler: Annotated[SAMPLERS.section(), BeforeValidator(_by_name)] = SAMPLERS["tpe"].options()  # type: ignore[valid-type]
    pruner: Annotated[PRUNERS.section(), BeforeValidator(_by_name)] = PRUNERS["halving"].options()  # type: ignore[valid-type]
    folds: Annotated[int, Field(ge=0, le=100)] = 0
    seeds: Annotated[int, Field(ge=1, le=100)] = 1
    rescore: RescoreSection = RescoreSection()
    warm_start: bool = True
    champion: bool = False
    objective: Literal["valid/loss"] = "valid/loss"
    against: Literal["gap", "parameters", "latency"] | None = None
    tolerance: Annotated[float, Field(ge=0)] = 0.01
    space: dict[str, Dimension] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _something_to_search(self) -> Self:
        if self.trials and not self.space:
            refuse("has trials but no space to search", "Add options to tune.space, or set tune.trials to 0.")
        if self.folds == 1:
            refuse("one fold has nothing to train on", "Set tune.folds to 0 (none) or at least 2.")
        return self

    @model_validator(mode="after")
    def _fitting_together(self) -> Self:
        pruner, sampler = self.pruner.kind, self.sampler.kind
        needed = PRUNERS[pruner].facts["replicas"]
        if self.replicas < needed:
            rule = f"tune.pruner {pruner} needs tune.folds times tune.seeds of at least {needed}"
            refuse(f"{rule}, and it is {self.replicas}", "Raise one of them, or take another pruner.")
        if sampler == "nsga2" and self.against is None:
            refuse("tune.sampler nsga2 weighs two objectives", "Set tune.against, or take another sampler.")
        if self.weighs and not SAMPLERS[sampler].facts["several"]:
            refuse(f"tune.sampler {sampler} takes one objective", "Drop tune.against, or take nsga2.")
        if self.weighs and pruner != "none":
            refuse("a pruned trial has no place between two objectives", "Set tune.pruner to none.")
        if self.against and self.rescore.top:
            refuse("tune.rescore compares one objective", "Drop tune.against or tune.rescore.")
        return self

    def settled(self, task: str, rows: int) -> Self:
        """Return the section for a task and a number of train rows, with nothing left open."""
        batch = self.batch or (BATCH if rows < MANY_ROWS else BATCH // 2)
        return self.of_task(task).model_copy(update={"batch": batch})

    def of_task(self, task: str | None) -> Self:
        """Return the section with the lines of its space that hold for a task; None: for any (see `lines_for`)."""
        return self.model_copy(update={"space": lines_for(self.space, task)})

    @property
    def learns_nothing(self) -> str:
        """Why the sampler will not learn from a single trial, of a section that is settled; empty where it will."""
        batch, kind = self.batch or BATCH, self.sampler.kind
        unheard = math.ceil(self.startup_trials / batch) * batch
        if not self.trials or self.trials > unheard or not SAMPLERS[kind].facts["learns"]:
            return ""
        rule = f"the sampler {kind} learns only from trial {unheard} on, and there are {self.trials}"
        return (
            f"{rule}: lower tune.batch ({batch}) or tune.startup_trials ({self.startup_trials}), or raise tune.trials"
        )

    @property
    def weighs(self) -> bool:
        """Whether the search itself has two objectives (see `weighs`)."""
        return weighs(self.against, self.sampler.kind)

    @property
    def looks(self) -> int:
        """Second looks that are wanted."""
        return self.rescore.top * self.rescore.seeds

    @property
    def replicas(self) -> int:
        """Members that each trial is trained as."""
        return max(1, self.folds) * self.seeds
