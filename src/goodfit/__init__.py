"""goodfit: from a table to a neural network that generalizes, and can prove it."""

import os

__version__ = "0.1.0"

# On some processors MKL, torch's library for products of matrices, computes narrow ones otherwise with one thread than
# with two, and an answer would depend on who asks. In this mode it does not; MKL reads it at its first call.
os.environ.setdefault("MKL_CBWR", "AUTO,STRICT")
