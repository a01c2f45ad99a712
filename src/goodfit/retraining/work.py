"""What every step of a retrain needs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from goodfit.errors import (
    ConfigurationError,
    DataError,
    Fault,
    GateError,
    GoodfitError,
    MachineError,
    ServiceError,
)
from goodfit.retraining.golden import evidence_of, name_of
from goodfit.retraining.params import RetrainParams
from goodfit.retraining.reference import Reference
from goodfit.retraining.served import Served
from goodfit.tracking import ModelRegistry, Version

Pipeline = Callable[[Sequence[str]], int]
"""Runs `dvc repro` with arguments, and returns the exit code of the stage that failed, or 0."""
FAILURES: Mapping[int, type[GoodfitError]] = {
    2: ConfigurationError,
    3: DataError,
    4: MachineError,
    5: ServiceError,
    6: GateError,
}


def run_graph(pipeline: Pipeline, arguments: Sequence[str], words: str) -> None:
    """Run the graph, or a part of it.

    Raises:
        GoodfitError: a stage failed; of the kind that its exit code stands for, with `words`.
    """
    code = pipeline(arguments)
    if code:
        place = " ".join(["dvc repro", *arguments])
        raise FAILURES.get(code, GoodfitError)([Fault(place, words, None, "The stage has said why, above.")])


@dataclass(frozen=True)
class Work:
    """One retrain.

    Args:
        root: the workspace.
        params: the sections that matter.
        registry: the registered model.
        pipeline: runs the graph.
        served: the record of what was asked over HTTP, None where it is not looked at.
    """

    root: Path
    params: RetrainParams
    registry: ModelRegistry
    pipeline: Pipeline
    served: Served | None = None

    def run(self, arguments: Sequence[str], words: str) -> None:
        """Run the graph; see `run_graph`."""
        run_graph(self.pipeline, arguments, words)

    def version(self, number: int) -> Version:
        """Return a version.

        Raises:
            DataError: it was deleted meanwhile.
        """
        found = self.registry.versions.get(number)
        if found is None:
            rule = f"has no version {number} any more"
            raise DataError([Fault(f"model '{self.registry.model}'", rule, None, "Run goodfit retrain again.")])
        return found

    def reference(self, version: Version, folder: Path) -> Reference:
        """Return what was kept with a version, copied into `folder`.

        Raises:
            DataError: nothing was.
        """
        return Reference(evidence_of(self.registry, version, folder), name_of(self.registry, version))
