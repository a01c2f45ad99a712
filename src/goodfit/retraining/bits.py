"""Answers as JSON that loses no bit."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def bits_of(answers: NDArray[np.float64]) -> dict[str, Any]:
    """Return answers as JSON-able values that lose no bit."""
    return {"shape": list(answers.shape), "values": [value.hex() for value in answers.ravel().tolist()]}


def read_answers(path: Path) -> NDArray[np.float64]:
    """Return the answers in a file, to the bit."""
    tree = json.loads(path.read_text(encoding="utf-8"))
    return np.array([float.fromhex(text) for text in tree["values"]]).reshape([int(size) for size in tree["shape"]])
