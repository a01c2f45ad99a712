"""A run of the search benchmark that is broken off goes on."""

from pathlib import Path
from typing import Any

import pytest


def test_what_was_measured_is_not_measured_again(loaded: Any, tmp_path: Path) -> None:
    module, told = loaded("search"), list[int]()

    def measure() -> dict[str, Any]:
        told.append(len(told))
        return {"seconds": 7 + told[-1]}

    twice = [module.kept(tmp_path / "telco-on-64/1.json", measure) for _ in range(2)]
    assert (twice, told) == ([{"seconds": 7}] * 2, [0])


def test_one_that_is_broken_off_leaves_nothing_that_looks_measured(loaded: Any, tmp_path: Path) -> None:
    def broken() -> dict[str, Any]:
        raise SystemExit("the glue failed")

    with pytest.raises(SystemExit):
        loaded("search").kept(tmp_path / "telco-on-64/1.json", broken)
    assert not (tmp_path / "telco-on-64/1.json").exists()
