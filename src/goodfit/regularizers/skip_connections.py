"""Skip connections."""

from collections.abc import Sequence
from itertools import pairwise

from goodfit.errors import Fault
from goodfit.regularizers.base import REGULARIZERS, Regularizer


@REGULARIZERS.register(
    "skip_connections",
    tasks=("binary", "multiclass", "regression"),
    needs_hidden_layers=True,
    source="He et al., Deep Residual Learning for Image Recognition, CVPR 2016, arXiv:1512.03385",
)
class SkipConnections(Regularizer):
    """Give every hidden layer that is as wide as the one before it a path around it: x + layer(x).

    "Deep Residual Learning for Image Recognition" (He et al., CVPR 2016, arXiv:1512.03385, equation 1), with a branch
    of one layer: its linear map, activation and what regularizers put around them. The first hidden layer has no path,
    since its input is no hidden layer. `shake_shake`, `shake_drop` and `stochastic_depth` act on the branches.

    Options:
        enabled: whether there are paths around hidden layers; false is off.
    """

    shortcut = True

    def __init__(self, *, enabled: bool = False) -> None:
        super().__init__()
        self._enabled = enabled

    @property
    def active(self) -> bool:
        """Return whether there are paths around hidden layers."""
        return self._enabled

    def width_faults(self, widths: Sequence[int]) -> list[Fault]:
        """Return a fault where no layer is as wide as the one before it: there is nothing to add."""
        if any(before == width for before, width in pairwise(widths)):
            return []
        rule = f"no hidden layer is as wide as the one before it: {list(widths)}"
        return [Fault("enabled", rule, None, "Take at least two hidden layers of one width.")]
