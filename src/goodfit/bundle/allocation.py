"""A bound on the memory that building a network may take: a record of a few bytes may claim one of terabytes."""

import math
from typing import Any

from torch.utils._python_dispatch import TorchDispatchMode

BYTES_PER_NUMBER = 8


class AllocationBound(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Within this context, making tensors of more than `limit` bytes in all raises before memory is taken.

    Every tensor counts with eight bytes a number, whatever its type.

    Raises:
        ValueError: the bound is passed.
    """

    def __init__(self, limit: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.limit = limit
        self.left = limit

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # else torch imports its compiler at the first call, which takes seconds

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Count a call whose first argument is a shape, then make it."""
        if args and isinstance(args[0], list | tuple) and all(isinstance(size, int) for size in args[0]):
            self.left -= math.prod(args[0]) * BYTES_PER_NUMBER
            if self.left < 0:
                raise ValueError(f"its network takes more than {self.limit:,} bytes, far more than its weights have")
        return func(*args, **(kwargs or {}))
