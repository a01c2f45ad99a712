"""Read an expectation suite: Great Expectations' names and arguments, every fault at once, before data are read."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from goodfit.checks.expectation import Expectation
from goodfit.checks.suite_faults import expectation_in, faults_in
from goodfit.errors import ConfigurationError, Fault, suggestion
from goodfit.params import read_yaml


def read_suite(path: Path) -> tuple[Expectation, ...]:
    """Read a suite file: a mapping whose `expectations` is a list of rules.

    Raises:
        ConfigurationError: with every unknown expectation, unknown or missing argument and wrong type in it.
    """
    if not path.exists():
        way_out = "Draft one from the data: goodfit expectations draft."
        raise ConfigurationError([Fault(str(path), "there is no such expectation suite", None, way_out)])
    return parse_suite(read_yaml(path), path.name)


def parse_suite(tree: Mapping[str, Any], place: str) -> tuple[Expectation, ...]:
    """Check a suite that has been read; `place` is the file that messages name."""
    items = tree.get("expectations")
    faults = [
        Fault(f"{place}: {key}", "unknown key", None, suggestion(key, ["expectations"]))
        for key in tree
        if key != "expectations"
    ]
    if not isinstance(items, list):
        faults.append(
            Fault(f"{place}: expectations", "must be a list of expectations", items, "Write one rule per line.")
        )
        items = []
    for number, item in enumerate(items):
        faults += faults_in(item, f"{place}: expectations.{number}")
    if faults:
        raise ConfigurationError(faults)
    return tuple(expectation_in(item) for item in items)
