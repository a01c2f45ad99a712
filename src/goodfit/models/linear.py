"""Linear and logistic regression."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field
from torch import nn

from goodfit.models.base import MODELS, HiddenBlocks, Inputs
from goodfit.models.encoding import SequentialModel
from goodfit.models.initialization import initialize_output
from goodfit.models.layers import Linear


@MODELS.register("linear", vectorizes=True, hidden_layers=False)
class LinearModel(SequentialModel):
    """One linear map from the preprocessed columns to the logits: logistic, softmax or least-squares regression.

    Options:
        max_one_hot: categorical columns of at most so many levels are one-hot, others are embedded.
        embedding: numbers per embedded column.
    """

    stacks = True

    def __init__(
        self,
        inputs: Inputs,
        outputs: int,
        blocks: HiddenBlocks,
        *,
        max_one_hot: Annotated[int, Field(ge=0, le=10_000)] = 100,
        embedding: Annotated[int, Field(ge=1, le=1024)] = 8,
    ) -> None:
        super().__init__(inputs, max_one_hot=max_one_hot, embedding=embedding)
        self.head = Linear(self.encoding.width, outputs)
        initialize_output(self.head, self.encoding.reserved_inputs())

    def in_sequence(self) -> Sequence[nn.Module]:
        """Return the encoding and the linear map."""
        return [self.encoding, self.head]
