"""The `training` section of params.yaml."""

from typing import Annotated, Literal

from pydantic import Field

from goodfit.optimizers import OPTIMIZERS
from goodfit.preprocessing import PreprocessingSection
from goodfit.registry import Section
from goodfit.schedules import SCHEDULES


class TrainingSection(Section):
    """How long, in which steps and on what a model is trained.

    Options:
        epochs: passes over the train rows, at most; early stopping may end before.
        batch_size: rows per step; a single row left over at the end of an epoch joins the step before. Null is a power
            of two that grows with the train rows: 32 for up to 1,000, 128 for 3,000, 256 for 6,000, 1,024 for 100,000.
        optimizer: how weights move along their gradients.
        schedule: how the learning rate moves over all steps of the training.
        preprocessing: how columns become numbers; fitted on the train rows only.
        device: cpu, cuda, or auto for a GPU where there is one; results of different devices differ in their last bits.
        threads: CPU threads to compute with; part of the result, because sums round differently with other counts.
    """

    epochs: Annotated[int, Field(ge=1, le=1_000_000)] = 30
    batch_size: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None
    optimizer: OPTIMIZERS.section() = OPTIMIZERS["adamw"].options()  # type: ignore[valid-type]
    schedule: SCHEDULES.section() = SCHEDULES["cosine"].options()  # type: ignore[valid-type]
    preprocessing: PreprocessingSection = PreprocessingSection()
    device: Literal["auto", "cpu", "cuda"] = "cpu"
    threads: Annotated[int, Field(ge=1, le=1024)] = 1
