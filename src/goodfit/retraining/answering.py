"""Answer a golden batch in a process that has done nothing else.

    python -m goodfit.retraining.answering GOLDEN OUT

Reads the folder of a bundle from standard input, when it is known, so that the slow imports are done by then; writes
the answers to OUT as JSON.
"""

import os
import sys
from pathlib import Path

from goodfit.bundle import load_bundle
from goodfit.data import read_table
from goodfit.errors import GoodfitError
from goodfit.files import write_json
from goodfit.retraining.golden import bits_of


def main(golden: str, out: str) -> int:
    """Return 0 when the answers are written, else the exit code of what went wrong."""
    folder = sys.stdin.readline().strip()
    if not folder:
        return 0
    try:
        write_json(Path(out), bits_of(load_bundle(Path(folder)).predict(read_table(Path(golden)).frame)))
    except GoodfitError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    code = main(*sys.argv[1:])
    sys.stderr.flush()
    os._exit(code)
