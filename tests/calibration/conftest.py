"""Bundles whose model answers with a raw column: what calibration must find is known."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from goodfit.bundle import Bundle
from goodfit.data import SchemaSection, Table, infer_schema
from goodfit.models import MODELS
from goodfit.preprocessing import PreprocessingSection, fit_preprocessor
from goodfit.registry import Section
from goodfit.regularizers import RegularizationSection


class Sharp(torch.nn.Module):
    """Gives true logits times a factor: overconfident from 1 on."""

    def __init__(self, preprocessor, sharpness: float, outputs: int) -> None:
        super().__init__()
        self.columns = [preprocessor.numeric_names.index(f"logit{k}") for k in range(outputs)]
        self.sharpness = sharpness

    def forward(self, numeric: Tensor, categorical: Tensor) -> Tensor:
        return self.sharpness * numeric[:, self.columns]


def rows(task: str, count: int, seed: int) -> pd.DataFrame:
    """Draw standard normal logits (what preprocessing leaves as they are, nearly) and outcomes that follow them."""
    rng = np.random.default_rng(seed)
    classes = 3 if task == "multiclass" else 1
    logits = rng.normal(size=(count, classes))
    frame = pd.DataFrame({f"logit{k}": logits[:, k] for k in range(classes)})
    if task == "regression":
        frame["y"] = 50 + 10 * logits[:, 0] + rng.normal(size=count) * np.exp(0.7 * logits[:, 0])
    elif task == "binary":
        frame["y"] = np.where(rng.random(count) < 1 / (1 + np.exp(-logits[:, 0])), "yes", "no")
    else:
        frame["y"] = np.argmax(logits + rng.gumbel(size=(count, classes)), axis=1).astype(str)
    return frame


@pytest.fixture(scope="session")
def made():
    """Return a maker of (bundle, valid, test) by task and sharpness."""

    def make(task: str, sharpness: float = 1.0, count: int = 2000, seed: int = 0) -> tuple[Bundle, Table, Table]:
        frames = [rows(task, 4000, 100 + seed), rows(task, count, 200 + seed), rows(task, 4000, 300 + seed)]
        schema = infer_schema(frames[0], SchemaSection(target="y", task=task))
        train, valid, test = (Table(frame, schema) for frame in frames)
        preprocessor = fit_preprocessor(train, PreprocessingSection())
        outputs = 3 if task == "multiclass" else 1
        options: Section = MODELS["linear"].options()
        model = Sharp(preprocessor, sharpness, outputs).eval()
        return Bundle(schema, preprocessor, options, RegularizationSection(), model), valid, test

    return make
