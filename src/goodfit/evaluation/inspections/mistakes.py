"""Which rows does the model get most wrong, and which labels are likely wrong themselves?"""

from typing import Annotated, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from goodfit.evaluation.boosting import Rows
from goodfit.evaluation.bootstrap import group_codes
from goodfit.evaluation.inspections.base import INSPECTIONS, Finding, Inspection, Subject
from goodfit.evaluation.rows.labels import Suspects, suspects
from goodfit.evaluation.rows.listing import listed
from goodfit.evaluation.rows.out_of_fold import out_of_fold
from goodfit.evaluation.rows.worst import SURE, confident_mistakes, worst_rows

NUMBER = 40
MAX_TRAIN_ROWS = 20_000
"""Train rows whose labels are looked at; a sample of more."""


@INSPECTIONS.register("mistakes", tasks=("binary", "multiclass", "regression"), order=40)
class Mistakes(Inspection):
    """The rows that the model gets most wrong, mistakes it is sure of, and labels that are likely wrong.

    The labels of valid and test rows are judged by the model, which has not learned them; it has learned those of the
    train rows, which boosted trees judge instead, each fold by trees that have not seen it.

    Options:
        worst: test rows listed as the most wrong ones.
        share: share of the rows listed as the most suspect labels.
        most: most rows in one list.
        train: whether the labels of train rows are judged too.
    """

    def __init__(
        self,
        *,
        worst: Annotated[int, Field(ge=1, le=1000)] = 20,
        share: Annotated[float, Field(gt=0, le=0.5)] = 0.05,
        most: Annotated[int, Field(ge=1, le=100_000)] = 1000,
        train: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.worst, self.share, self.most, self.train = worst, share, most, train

    def inspect(self, subject: Subject) -> Finding | None:
        """Return the worst test rows, and the most suspect labels of all splits."""
        if not len(subject.targets["test"]):
            return None
        tables: dict[str, pd.DataFrame] = {"worst_rows": self._worst(subject)}
        figures: dict[str, float] = {}
        for split in ("valid", "test"):
            if split in subject.bundle.trained_on:
                continue  # it has learned these labels, right or wrong
            found = suspects(subject.targets[split], subject.predictions[split])
            everyone = np.arange(len(subject.targets[split]))
            tables[f"labels_{split}"] = self._labels(subject, split, everyone, found)
            figures[f"suspect_labels.{split}"] = float(np.mean(found.suspect)) if len(everyone) else 0.0
        if self.train:
            rows, found = _train_suspects(subject)
            tables["labels_train"] = self._labels(subject, "train", rows, found)
            figures["suspect_labels.train"] = float(np.mean(found.suspect))
        said = [_summary(figures)]
        if subject.task != "regression":
            wrong, foretold = confident_mistakes(subject.targets["test"], subject.predictions["test"])
            figures |= {"confident_mistakes": float(wrong.sum()), "confident_mistakes_foretold": foretold}
            rule = f"{int(wrong.sum()):,} test rows are wrong although the model gave {SURE:.0%} or more"
            said.insert(0, f"{rule}; by its own probabilities {foretold:,.0f} would be.")
        return Finding("Rows it gets wrong, and labels that may be", " ".join(said), tables, (), figures)

    def _worst(self, subject: Subject) -> pd.DataFrame:
        target, prediction = subject.targets["test"], subject.predictions["test"]
        rows = worst_rows(target, prediction, self.worst)
        if subject.task == "regression":
            said = {"predicted": prediction[rows], "error": prediction[rows] - target[rows]}
            return listed(subject.tables["test"], rows, said)
        names = np.array(subject.schema.classes, dtype=object)
        decided = subject.bundle.decide(prediction[rows])
        top = prediction[rows].max(axis=1)
        said = {"predicted": names[decided], "probability": prediction[rows, target[rows]], "sure": top >= SURE}
        return listed(subject.tables["test"], rows, said)

    def _labels(self, subject: Subject, split: str, rows: NDArray[np.intp], found: Suspects) -> pd.DataFrame:
        """Return the most suspect of the rows (numbers in the split) that were judged."""
        count = min(self.most, max(1, round(self.share * len(rows))))
        first = np.argsort(-found.score, kind="stable")[:count]
        instead: NDArray[Any] = found.instead[first]
        if subject.task != "regression":
            instead = np.array(subject.schema.classes, dtype=object)[instead]
        said = {"fits_better": instead, "suspicion": found.score[first], "likely": found.suspect[first]}
        return listed(subject.tables[split], rows[first], said)


def _train_suspects(subject: Subject) -> tuple[NDArray[np.intp], Suspects]:
    """Return the numbers of the train rows that were judged, and how suspect their labels are."""
    count = len(subject.targets["train"])
    rows = np.arange(count)
    if count > MAX_TRAIN_ROWS:
        drawn = np.random.default_rng((subject.seed, NUMBER)).choice(count, MAX_TRAIN_ROWS, replace=False)
        rows = np.sort(drawn)
    target, groups = subject.targets["train"][rows], subject.groups["train"]
    arrays = subject.bundle.preprocessor.transform(subject.tables["train"].frame.iloc[rows])
    codes = group_codes(None if groups is None else groups[rows])
    said = out_of_fold(Rows(arrays, target), len(subject.schema.classes), subject.seed, codes)
    return rows, suspects(target, said)


def _summary(figures: dict[str, float]) -> str:
    shares = [
        f"{figures[f'suspect_labels.{s}']:.1%} of {s}"
        for s in ("train", "valid", "test")
        if f"suspect_labels.{s}" in figures
    ]
    how = (
        "train rows are judged by boosted trees that have not seen them"
        if "suspect_labels.train" in figures
        else "train rows are not judged"
    )
    return f"Labels that another answer fits better, by chance or by mistake: {', '.join(shares)} rows; {how}."
