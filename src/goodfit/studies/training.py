"""Variants of a model, trained side by side from several seeds: what each came to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from goodfit.preprocessing.targets import Standardized
from goodfit.training import Candidate, Fitted, Recipe, TrainingData, derived, fit_population


@dataclass(frozen=True)
class Variant:
    """One way to train.

    Args:
        recipe: what is trained.
        data: for each seed, the rows.
    """

    recipe: Recipe
    data: Sequence[TrainingData]


@dataclass(frozen=True)
class Result:
    """What one training came to, at the epoch that is kept.

    Args:
        valid: loss on the valid rows; nats, or squared standard deviations of the target in `scale`.
        gap: how much higher it is than on as many train rows.
    """

    valid: float
    gap: float


def trained(
    variants: Mapping[str, Variant], seed: int, state: Path | None, scale: float = 1.0
) -> dict[str, list[Result | None]]:
    """Train every variant from every seed, as one population; the n-th seed is the same for all variants.

    Args:
        variants: by name.
        seed: the project's; those of the trainings derive from it.
        state: folder for checkpoints, or None to train without.
        scale: the deviation of the target in whose squares a regression's losses are given; its own is each
            preprocessor's.

    Returns:
        For each variant a result per seed; None where the loss was no number any more.
    """
    places = [(name, number) for name, variant in variants.items() for number in range(len(variant.data))]
    candidates = [
        Candidate(index, variants[name].recipe, derived(seed, "study", number), variants[name].data[number])
        for index, (name, number) in enumerate(places)
    ]
    found: dict[str, list[Result | None]] = {name: [None] * len(variant.data) for name, variant in variants.items()}
    for finished in fit_population(candidates, state=state):
        name, number = places[finished.number]
        if finished.fitted is not None:
            found[name][number] = _result(finished.fitted, candidates[finished.number].data, scale)
    return found


def _result(fitted: Fitted, data: TrainingData, scale: float) -> Result:
    target = data.preprocessor.target
    factor = (target.deviation / scale) ** 2 if isinstance(target, Standardized) else 1.0
    metrics = fitted.epochs[fitted.best_epoch - 1].metrics
    return Result(metrics["valid/loss"] * factor, metrics["generalization_gap/loss"] * factor)
