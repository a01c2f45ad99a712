"""Integrated gradients: how much each column pushed one prediction away from that of the average row.

"Axiomatic Attribution for Deep Networks" (Sundararajan, Taly and Yan, 2017, arXiv:1703.01365). The path runs through
the encoded inputs (scaled numbers or what they are embedded as, one-hot levels, embeddings), from the mean of some
train rows to the row. Networks that answer together encode a row each in its own way: the path runs through all
encodings at once, and a column's contribution is what it adds in any of them. Contributions add up to the difference of
the two scores (completeness); the steps are doubled until they do.
"""

from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from goodfit.bundle import Bundle, tensor
from goodfit.errors import ConfigurationError, Fault
from goodfit.evaluation.explaining.blocks import Block, blocks_of
from goodfit.models.encoding import Encoding
from goodfit.preprocessing import Arrays

FIRST_STEPS, MOST_STEPS = 64, 4096
TOLERANCE = 1e-3
"""Completeness: contributions and difference agree to that share of the difference, or of 1."""


@dataclass(frozen=True)
class Attribution:
    """Why one score is what it is.

    Args:
        contributions: raw column to what it adds to the score.
        score: of the row: the log odds of the class (binary: of the second class), or the value in the target's units.
        average: the score of the average row.
        steps: of the path.
        error: contributions' sum less the difference of the scores.
    """

    contributions: dict[str, float]
    score: float
    average: float
    steps: int
    error: float


class Attributor:
    """Explains single rows of one model.

    Args:
        bundle: the model; the first step of each of its networks must be an `Encoding`.
        background: preprocessed rows; the mean of what they are encoded as is where paths begin.

    Raises:
        ConfigurationError: the model encodes its inputs in another way.
    """

    def __init__(self, bundle: Bundle, background: Arrays) -> None:
        self.encodings = [module for module in bundle.model.modules() if isinstance(module, Encoding)]
        if not self.encodings:
            rule = "cannot be explained by gradients: it has no goodfit.models.encoding.Encoding"
            raise ConfigurationError([Fault("model", rule, None, "Read the permutation importance instead.")])
        self.bundle = bundle
        self.blocks = blocks_of(bundle.preprocessor)
        self.start = self._encoded(background).double().mean(dim=0).float()

    def attribute(self, row: Arrays, output: int = 0) -> Attribution:
        """Explain one preprocessed row.

        Args:
            row: a single row.
            output: which class; binary and regression have a single score, 0.
        """
        end = self._encoded(row)[0]
        scores = self._scores(torch.stack([self.start, end]), output).detach()
        difference = float(scores[1] - scores[0])
        steps = FIRST_STEPS
        parts = self._path(end, output, steps)
        while abs(float(parts.sum()) - difference) > TOLERANCE * max(1.0, abs(difference)) and steps < MOST_STEPS:
            steps *= 2
            parts = self._path(end, output, steps)
        unit = self._unit()
        contributions = {name: unit * float(parts[self._places(block)].sum()) for name, block in self.blocks.items()}
        average, score = (self._origin() + unit * float(value) for value in scores)
        return Attribution(contributions, score, average, steps, unit * (float(parts.sum()) - difference))

    def reliance(self, rows: Arrays) -> dict[str, float]:
        """Return how far each raw column moves the scores of some preprocessed rows away from the average row's.

        A glance at all columns at once, for the choice of those that are worth a closer look: the mean size of the
        gradient times the distance from the average, over rows and classes.
        """
        encoded = self._encoded(rows).requires_grad_()
        outputs = max(1, len(self.bundle.schema.classes)) if len(self.bundle.schema.classes) > 2 else 1
        found = dict.fromkeys(self.blocks, 0.0)
        for output in range(outputs):
            (gradient,) = torch.autograd.grad(self._scores(encoded, output).sum(), encoded)
            pushes = (gradient * (encoded.detach() - self.start)).double()
            for name, block in self.blocks.items():
                found[name] += float(pushes[:, self._places(block)].sum(dim=1).abs().mean()) / outputs
        return found

    def _path(self, end: Tensor, output: int, steps: int) -> Tensor:
        """Return the contribution of each encoded input by the midpoint rule."""
        shares = (torch.arange(steps, dtype=torch.float64) + 0.5) / steps
        points = (self.start + shares[:, None].float() * (end - self.start)).requires_grad_()
        (gradient,) = torch.autograd.grad(self._scores(points, output).sum(), points)
        return gradient.double().mean(dim=0) * (end - self.start).double()

    def _scores(self, encoded: Tensor, output: int) -> Tensor:
        """Return the scores of encoded rows: everything behind the encoding, with the encoding's output replaced."""
        parts = torch.split_with_sizes(encoded, [encoding.width for encoding in self.encodings], dim=1)
        blank = Arrays(np.zeros((len(encoded), len(self.bundle.preprocessor.numeric_names)), np.float32),
                       np.zeros((len(encoded), len(self.bundle.preprocessor.categorical_names)), np.int64))  # fmt: skip
        with ExitStack() as hooks:
            for encoding, part in zip(self.encodings, parts, strict=True):
                hooks.callback(encoding.register_forward_hook(partial(_instead, part)).remove)
            self.bundle.model.eval()
            logits: Tensor = (
                self.bundle.model(tensor(blank.numeric), tensor(blank.categorical)) / self.bundle.temperature
            )
        if logits.shape[1] == 1:
            return logits[:, 0]
        others = torch.cat((logits[:, :output], logits[:, output + 1 :]), dim=1)
        return logits[:, output] - torch.logsumexp(others, dim=1)

    def _encoded(self, arrays: Arrays) -> Tensor:
        with torch.no_grad():
            inputs = tensor(arrays.numeric), tensor(arrays.categorical)
            return torch.cat([encoding(*inputs) for encoding in self.encodings], dim=1)

    def _places(self, block: Block) -> Tensor:
        """Return which encoded inputs belong to a raw column."""
        found: list[int] = []
        start = 0
        for encoding in self.encodings:
            found += [start + place for place in encoding.outputs_of(block.numeric, block.categorical)]
            start += encoding.width
        return torch.tensor(found, dtype=torch.int64)

    def _unit(self) -> float:
        """Return what one unit of the network's output is in units of the score."""
        return 1.0 if self.bundle.task != "regression" else self._decoded(1.0) - self._decoded(0.0)

    def _origin(self) -> float:
        return 0.0 if self.bundle.task != "regression" else self._decoded(0.0)

    def _decoded(self, value: float) -> float:
        decoded: NDArray[np.float64] = self.bundle.preprocessor.decode_target(np.array([value]))
        return float(decoded[0])


def _instead(part: Tensor, *_: object) -> Tensor:
    return part
