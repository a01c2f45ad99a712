"""The nouns of a search: what is proposed, what came of it, and the two together."""

import hashlib
import math
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from goodfit.training import judged_by
from goodfit.tuning.dimension import Scalar

State = Literal["COMPLETE", "PRUNED", "FAIL"]
ERROR_LENGTH = 20_000


@dataclass(frozen=True)
class Proposal:
    """One trial to run.

    Args:
        number: from 0; rescoring goes on counting where the trials end.
        overrides: dotted option or decision to value; what a trial sets follows from it (`Space.overrides`).
        seed: of everything random in it.
        origin: where the settings come from: the sampler, params.yaml, or a file of known-good settings.
        rescores: of a second look at a trial, that trial's number.
    """

    number: int
    overrides: dict[str, Scalar]
    seed: int
    origin: str = "sampler"
    rescores: int | None = None


@dataclass(frozen=True)
class Outcome:
    """What came of a proposal.

    Args:
        number: the proposal's.
        state: COMPLETE; PRUNED, stopped early because it lost; FAIL, no usable value.
        value: the objective, lower is better; of a pruned trial, the best that it was judged by.
        epochs: epochs trained.
        duration_s: seconds it took.
        error: what went wrong, with its traceback.
        curves: metric to its value after each epoch, a mean over folds and seeds.
        replicas: objective after each epoch of each fold and seed, where there are several.
        figures: single facts about the trained model, such as the number of its parameters.
    """

    number: int
    state: State
    value: float | None = None
    epochs: int = 0
    duration_s: float = 0.0
    error: str = ""
    curves: dict[str, list[float]] = field(default_factory=dict)
    replicas: list[list[float]] = field(default_factory=list)
    figures: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Paused:
    """A trial that is not finished: it goes on beside the next batch.

    Args:
        so_far: what it would have come to if it were pruned now.
    """

    so_far: Outcome


@dataclass(frozen=True)
class Trial:
    """A finished trial; `restored` when an earlier process finished it."""

    number: int
    state: State
    value: float | None
    epochs: int
    duration_s: float
    params: dict[str, Scalar]
    seed: int
    error: str = ""
    curves: dict[str, list[float]] = field(default_factory=dict)
    replicas: list[list[float]] = field(default_factory=list)
    figures: dict[str, float] = field(default_factory=dict)
    origin: str = "sampler"
    rescores: int | None = None
    against: float | None = None
    restored: bool = field(default=False, compare=False)

    @property
    def judged(self) -> list[float]:
        """What pruners go by, after each epoch."""
        return self.curves.get(judged_by(self.curves), [])

    @property
    def epoch_rows(self) -> list[dict[str, float]]:
        """The metrics after each epoch, with its number."""
        length = max(map(len, self.curves.values()), default=0)
        return [
            {"epoch": epoch + 1, **{name: values[epoch] for name, values in self.curves.items() if epoch < len(values)}}
            for epoch in range(length)
        ]


def finished(proposal: Proposal, outcome: Outcome, against: str | None = None) -> Trial:
    """Join a proposal with its outcome, which is made honest first: a missing or non-finite objective is a failure.

    Args:
        proposal: what was run.
        outcome: what came of it.
        against: the figure that is the second objective, if there is one.
    """
    true = honest(outcome)
    return Trial(
        number=proposal.number,
        state=true.state,
        value=true.value,
        epochs=true.epochs,
        duration_s=true.duration_s,
        params=proposal.overrides,
        seed=proposal.seed,
        error=true.error[-ERROR_LENGTH:],
        curves=true.curves,
        replicas=true.replicas,
        figures=true.figures,
        origin=proposal.origin,
        rescores=proposal.rescores,
        against=true.figures.get(against) if against else None,
    )


def epochs_of(trial: Trial) -> int:
    """Return the epochs that a trial's training took, over all folds and seeds."""
    return sum(map(len, trial.replicas)) if trial.replicas else trial.epochs


def honest(outcome: Outcome) -> Outcome:
    """Return the outcome in plain Python numbers, as FAIL when its value cannot be compared with others."""
    seconds = _number(outcome.duration_s)
    plain = replace(outcome, epochs=int(outcome.epochs), duration_s=seconds if math.isfinite(seconds) else 0.0)
    if plain.state == "FAIL":
        return replace(plain, value=None, error=plain.error or "failed without saying why")
    if plain.state == "PRUNED" and plain.value is None:
        return plain
    value = _number(plain.value)
    if not math.isfinite(value):
        reason = "is missing" if plain.value is None else f"is {plain.value}, not a finite number"
        return replace(plain, state="FAIL", value=None, error=f"the objective {reason}")
    return replace(plain, value=value)


def derived_seed(seed: int, purpose: str, number: int) -> int:
    """Return a seed in [0, 2**32) for one purpose of one trial: equal inputs give equal seeds on every machine."""
    digest = hashlib.sha256(f"goodfit/{purpose}/{seed}/{number}".encode()).digest()
    return int.from_bytes(digest[:4], "big")


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan
