"""The `goodfit` command: composes what the package offers; nothing imports it."""

from goodfit.cli.main import main

__all__ = ["main"]
