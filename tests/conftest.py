"""What holds for every test."""

import pytest


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Name a bytes parameter by its argument: packed bytes hold the time, and workers must collect equal names."""
    return argname if isinstance(val, bytes) else None
