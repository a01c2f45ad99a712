"""goodfit: from a table to a neural network that generalizes, and can prove it."""

__version__ = "0.1.0"
