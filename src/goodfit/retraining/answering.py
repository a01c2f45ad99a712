"""Answer a golden batch in a process that has done nothing else: python -m goodfit.retraining.answering.

Reads one line of JSON from standard input, when it is known, so that the slow imports are done by then: the folder of a
bundle, a file of rows, and where the answers go. See `fresh`, which starts it.
"""

import json
import os
import sys
from pathlib import Path

from goodfit.errors import GoodfitError
from goodfit.files import write_json
from goodfit.stage.memory import collect_seldom


def main() -> int:
    """Return 0 when the answers are written or nothing was asked, else the exit code of what went wrong."""
    collect_seldom()
    from goodfit.bundle import load_bundle
    from goodfit.data import read_table
    from goodfit.retraining.bits import bits_of

    line = sys.stdin.readline()
    if not line.strip():
        return 0
    request = json.loads(line)
    try:
        answers = load_bundle(Path(request["bundle"])).predict(read_table(Path(request["rows"])).frame)
        write_json(Path(request["out"]), bits_of(answers))
    except GoodfitError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)
