"""Linear and logistic regression."""

from typing import Annotated

from pydantic import Field
from torch import Tensor

from goodfit.models.base import MODELS, HiddenBlocks, Inputs
from goodfit.models.encoding import EncodedModel
from goodfit.models.initialization import initialize_output
from goodfit.models.layers import Linear


@MODELS.register("linear", vectorizes=True, hidden_layers=False)
class LinearModel(EncodedModel):
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

    def forward(self, numeric: Tensor, categorical: Tensor) -> Tensor:
        """Map [n, numeric] and [n, categorical], raw or prepared, to [n, outputs] logits."""
        logits: Tensor = self.head(self.encoding(numeric, categorical))
        return logits
