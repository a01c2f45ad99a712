"""Numbers as they are."""

from torch import Tensor

from goodfit.models.numeric_embeddings.base import NUMERIC_EMBEDDINGS, NumericEmbedding


@NUMERIC_EMBEDDINGS.register("none")
class NoEmbedding(NumericEmbedding):
    """Numbers go into the first layer as they are."""

    def __init__(self, columns: int) -> None:
        super().__init__()
        self.width = 1

    def forward(self, values: Tensor) -> Tensor:
        """Map [n, columns] to [n, columns, 1]."""
        return values[..., None]
