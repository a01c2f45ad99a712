"""Did it pay? The chosen model without one regularizer at a time, from several seeds."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from goodfit.evaluation import AblationSection, Estimate, Finding
from goodfit.evaluation.charts import bar_chart
from goodfit.registry import Section
from goodfit.regularizers import REGULARIZERS
from goodfit.regularizers.regularization import active_in
from goodfit.studies.chosen import Chosen
from goodfit.studies.interval import mean_interval
from goodfit.studies.training import Result, Variant, trained
from goodfit.training import TrainingData

ALL = "all of them"
STOPPING = "early_stopping"
FLATTERED = f" {STOPPING} is flattered: it keeps the epoch that these very rows like best."
WHOLE = ""
"""The name of the variant that has everything."""


@dataclass(frozen=True)
class Worth:
    """What a regularizer is worth.

    Args:
        name: of it, or of it and what acts through it.
        loss: how much higher the loss on valid is without it; positive: it helps.
        gap: how much wider the generalization gap is without it; positive: it narrows the gap.
        failed: trainings without it that diverged.
    """

    name: str
    loss: Estimate
    gap: Estimate
    failed: int

    @property
    def finding(self) -> str:
        """What the interval of the loss shows; no effect where not one training came out otherwise."""
        if self.loss.low == self.loss.high == 0:
            return "no effect"
        if self.loss.low > 0:
            return "helps"
        return "harms" if self.loss.high < 0 else "not shown"


def ablate(chosen: Chosen, section: AblationSection, state: Path | None = None) -> Finding:
    """Train the chosen model with everything, without each active regularizer in turn, and without any.

    All are one population, and each seed gives all of them the same first weights and order of rows, as far as they
    have the same form: so differences are taken by seed. What acts through another regularizer goes with it.

    Args:
        chosen: settings and rows.
        section: how many seeds, and the level of the intervals.
        state: folder for checkpoints, or None to train without.

    Raises:
        ConfigurationError, MachineError, ServiceError: see `fit_population`.
    """
    data = TrainingData.of(chosen.train, chosen.valid, chosen.recipe.training.preprocessing)
    kinds = removals(chosen.recipe.regularization)
    if not kinds:
        return Finding("What each regularizer is worth", "No regularizer is active, so there is none to leave out.")
    sections = {name: without(chosen.recipe.regularization, gone) for name, gone in kinds.items()}
    recipes = {WHOLE: chosen.recipe} | {n: replace(chosen.recipe, regularization=s) for n, s in sections.items()}
    variants = {name: Variant(recipe, [data] * section.seeds) for name, recipe in recipes.items()}
    found = trained(variants, chosen.sections.seed, state)
    level = 1 - (1 - section.level) / len(kinds)  # each so wide that all of them hold together (Bonferroni)
    worths = [worth(name, found[WHOLE], found[name], level) for name in kinds]
    return shown(worths, found[WHOLE], section)


def removals(section: Section) -> dict[str, tuple[str, ...]]:
    """Return what is left out together, by name: each active regularizer, with those that act through it, and all."""
    active = list(active_in(section))
    found: dict[str, tuple[str, ...]] = {}
    for kind in active:
        gone = (kind, *(other for other in active if REGULARIZERS[other].cls.parent == kind))
        found[" and ".join(gone)] = gone
    if len(active) > 1:
        found[ALL] = tuple(active)
    return found


def without(section: Section, kinds: Sequence[str]) -> Section:
    """Return the settings with some regularizers as they are by default: off."""
    return section.model_copy(update={kind: type(getattr(section, kind))() for kind in kinds})


def worth(name: str, whole: Sequence[Result | None], less: Sequence[Result | None], level: float) -> Worth:
    """Return what is lost without a regularizer, from the results of the same seeds with and without it."""
    pairs = [(one, other) for one, other in zip(whole, less, strict=True) if one is not None and other is not None]
    loss = mean_interval([other.valid - one.valid for one, other in pairs], level)
    gap = mean_interval([other.gap - one.gap for one, other in pairs], level)
    return Worth(name, loss, gap, sum(result is None for result in less))


def shown(worths: Sequence[Worth], whole: Sequence[Result | None], section: AblationSection) -> Finding:
    """Return the finding for the report, the tracker and the screen, the most helpful regularizer first."""
    alone = sorted((one for one in worths if one.name != ALL), key=lambda one: -_comparable(one.loss.value))
    ordered = [*alone, *(one for one in worths if one.name == ALL)]
    names = [one.name for one in ordered]
    ends = {"loss": [one.loss for one in ordered], "gap": [one.gap for one in ordered]}
    captions = {
        "loss": "Loss on valid without it, minus with it",
        "gap": "Generalization gap without it, minus with it",
    }
    charts = [
        (caption, bar_chart(names, [e.value for e in ends[key]], key, intervals=[(e.low, e.high) for e in ends[key]]))
        for key, caption in captions.items()
    ]
    figures = {
        f"{_stem(one.name)}{part}{end}": value
        for one in ordered
        for part, estimate in (("", one.loss), (".gap", one.gap))
        for end, value in (("", estimate.value), ("_low", estimate.low), ("_high", estimate.high))
        if value == value
    }
    return Finding(
        "What each regularizer is worth", _said(ordered, whole, section), {"worth": _table(ordered)}, charts, figures
    )


def _table(worths: Sequence[Worth]) -> pd.DataFrame:
    rows = [
        (o.name, o.loss.value, o.loss.low, o.loss.high, o.gap.value, o.gap.low, o.gap.high, o.finding, o.failed)
        for o in worths
    ]
    names = ["without", "loss", "loss_low", "loss_high", "gap", "gap_low", "gap_high", "shown", "failed"]
    return pd.DataFrame(rows, columns=names)


def _said(worths: Sequence[Worth], whole: Sequence[Result | None], section: AblationSection) -> str:
    named = [one for one in worths if one.name != ALL]
    helps, harms = (", ".join(o.name for o in named if o.finding == said) or "none" for said in ("helps", "harms"))
    sound = [result for result in whole if result is not None]
    mean = mean_interval([result.valid for result in sound], section.level).value
    gap = mean_interval([result.gap for result in sound], section.level).value
    return (
        f"Shown to help on the valid rows: {helps}; shown to harm: {harms}. With everything the loss on valid is "
        f"{mean:.4g}, {gap:+.4g} against train, in the mean of {len(sound)} seeds. Differences are by seed; their "
        f"intervals over seeds are so wide that all of them hold together with {section.level:.0%}. A positive "
        "difference in loss, or in gap, speaks for the regularizer. The settings were chosen with all of them on, and "
        "without one its neighbours are not tuned anew."
        f"{FLATTERED if any(STOPPING in one.name for one in named) else ''}"
    )


def _stem(name: str) -> str:
    return name.replace(" and ", "_").replace(" ", "_")


def _comparable(value: float) -> float:
    return value if value == value else float("inf")
