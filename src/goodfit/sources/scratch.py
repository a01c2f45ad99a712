"""Temporary files without a name: nothing is left behind, not even by a kill."""

import tempfile
from typing import IO


def scratch() -> IO[bytes]:
    """Return an open, unbuffered, nameless file for what has to be fetched or unpacked before it can be read."""
    return tempfile.TemporaryFile(buffering=0, prefix="goodfit-")
