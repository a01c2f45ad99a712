"""`goodfit check`: every section of params.yaml, the search space and the suite, before anything runs."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from goodfit.alerts import AlertsSection
from goodfit.errors import ConfigurationError, Fault
from goodfit.files import digest_of_path, digest_of_value, read_json, write_json
from goodfit.params import load_params, read_yaml
from goodfit.registry import Section
from goodfit.retraining import RetrainSection
from goodfit.stage import say
from goodfit.stage.graph import StageEntry, read_graph

PASSED = Path(".goodfit/checked.json")


class CommandParams(Section):
    """The sections that commands read and no stage."""

    retrain: RetrainSection = RetrainSection()
    alerts: AlertsSection = AlertsSection()


def check() -> None:
    """Check params.yaml as every stage will, and list all faults at once."""
    check_configuration(Path.cwd())
    say("params.yaml: every section is sound")


def check_once(root: Path) -> None:
    """Check the configuration unless exactly this one has passed before; importing every stage takes seconds."""
    key = digest_of_value([digest_of_path(path) for path in _determining(root)])
    try:
        if read_json(root / PASSED) == key:
            return
    except (OSError, ValueError):
        pass
    check_configuration(root)
    write_json(root / PASSED, key)


def check_configuration(root: Path) -> None:
    """Load every stage's sections.

    Raises:
        ConfigurationError: with the faults of all stages, each once.
    """
    graph = read_graph(root)
    faults: dict[str, Fault] = {}
    for name in graph:
        script = load_script(root, name)
        try:
            params = load_params(root / "params.yaml", script.Params)
            if hasattr(script, "check"):
                script.check(params, read_yaml(root / "params.yaml"))
        except ConfigurationError as error:
            faults |= {str(fault): fault for fault in error.faults}
    try:
        load_params(root / "params.yaml", CommandParams)
    except ConfigurationError as error:
        faults |= {str(fault): fault for fault in error.faults}
    told = {fault.place for fault in faults.values()}
    every = [*faults.values(), *(fault for fault in _missing_sections(root, graph) if fault.place not in told)]
    if every:
        raise ConfigurationError(every)


def _missing_sections(root: Path, graph: dict[str, StageEntry]) -> list[Fault]:
    """Return a fault for each section that DVC follows and the file lacks: DVC would stop there, in mid-run."""
    tree = read_yaml(root / "params.yaml")
    needed = {section for entry in graph.values() for section in entry.sections}
    return [
        Fault(f"params.yaml: {name}", "is missing", None, f"Write {name}: {{}}") for name in sorted(needed - set(tree))
    ]


def _determining(root: Path) -> list[Path]:
    named = [root / name for name in ("params.yaml", "dvc.yaml", "pipeline", "expectations")]
    return [path for path in [*named, Path(__file__).parents[1]] if path.exists()]


def load_script(root: Path, stage: str) -> ModuleType:
    """Import the script of a stage without running it."""
    path = root / "pipeline" / f"{stage}.py"
    spec = importlib.util.spec_from_file_location(f"goodfit_pipeline_{stage}", path)
    if spec is None or spec.loader is None or not path.exists():
        raise ConfigurationError([Fault(f"dvc.yaml: {stage}", f"has no script pipeline/{stage}.py")])
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
