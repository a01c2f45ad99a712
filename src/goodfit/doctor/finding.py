"""What an examination found."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        name: what was looked at.
        ok: whether it is as it should be.
        detail: what was seen, and when it is wrong, the way out.
        mend: does the way out; None when only a person can.
    """

    name: str
    ok: bool
    detail: str
    mend: Callable[[], object] | None = field(default=None, compare=False)
