"""What an answer's bits depend on."""

import subprocess
import sys

SCRIPT = """
import torch
import goodfit
random = torch.Generator().manual_seed(0)
compared = 0
for rows in (55, 206, 300, 1024):
    for inputs, outputs in ((128, 1), (16, 2), (8, 1), (30, 32), (64, 128)):
        x, w = (torch.randn(size, generator=random) for size in ((rows, inputs), (outputs, inputs)))
        found = []
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            found.append(torch.nn.functional.linear(x, w))
        assert all(torch.equal(found[0], one) for one in found), (rows, inputs, outputs)
        compared += 1
assert compared == 20
"""


def test_the_number_of_threads_changes_no_product() -> None:
    """`predict` computes with one thread per chunk, evaluation with all; torch may be imported before goodfit."""
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
