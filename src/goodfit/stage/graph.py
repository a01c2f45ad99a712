"""What dvc.yaml says of one stage: the only place where dependencies and outputs are listed."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from goodfit.errors import ConfigurationError, Fault, suggestion
from goodfit.params import dotted, read_yaml

CODE = ("src/", "pipeline/")
PLACEHOLDER = re.compile(r"\$\{(?P<option>[\w.]+)\}")


@dataclass(frozen=True)
class StageEntry:
    """One stage of dvc.yaml: paths relative to the workspace, and the sections of params.yaml it names."""

    command: str
    dependencies: tuple[str, ...]
    outputs: tuple[str, ...]
    sections: tuple[str, ...]

    @property
    def inputs(self) -> tuple[str, ...]:
        """The dependencies that are data, not code."""
        return tuple(path for path in self.dependencies if not path.startswith(CODE))


def read_graph(root: Path) -> dict[str, StageEntry]:
    """Return the stages of dvc.yaml by name, with `${section.option}` filled in from params.yaml as DVC does."""
    stages = read_yaml(root / "dvc.yaml").get("stages", {})
    options = dotted(read_yaml(root / "params.yaml"))
    return {name: _entry(stage, options) for name, stage in stages.items()}


def read_entry(root: Path, name: str) -> StageEntry:
    """Return one stage of dvc.yaml."""
    graph = read_graph(root)
    if name not in graph:
        raise ConfigurationError([Fault("dvc.yaml: stages", f"has no stage '{name}'", None, suggestion(name, graph))])
    return graph[name]


def _entry(stage: dict[str, Any], options: dict[str, Any]) -> StageEntry:
    outputs = [*stage.get("outs", []), *stage.get("metrics", []), *stage.get("plots", [])]
    dependencies = tuple(_filled(path, options) for path in _paths(stage.get("deps", [])))
    return StageEntry(stage["cmd"], dependencies, _paths(outputs), tuple(map(str, stage.get("params", []))))


def _filled(path: str, options: dict[str, Any]) -> str:
    return PLACEHOLDER.sub(lambda match: str(options.get(match["option"], match[0])), path)


def _paths(items: list[Any]) -> tuple[str, ...]:
    return tuple(next(iter(item)) if isinstance(item, dict) else item for item in items)
