"""The folder tree is the invalidation tree: dvc.yaml says exactly what each script imports and reads."""

import ast
from pathlib import Path

import grimp
import pytest

from goodfit.cli.preflight import CommandParams, load_script
from goodfit.params import COMMANDS_OWN, SECTIONS, fields_of, read_yaml
from goodfit.stage.graph import read_graph

ROOT = Path(__file__).parents[2]
GRAPH = read_graph(ROOT)
ORDER = ["ingest", "validate", "split", "tune", "train", "evaluate", "record"]


def modules_named(script: Path) -> set[str]:
    """Return the goodfit modules that a script imports itself."""
    found = set()
    for node in ast.walk(ast.parse(script.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return {name for name in found if name.split(".")[0] == "goodfit"}


@pytest.fixture(scope="module")
def imports() -> grimp.ImportGraph:
    return grimp.build_graph("goodfit", cache_dir=None)


def sources_of(script: Path, imports: grimp.ImportGraph) -> set[str]:
    """Return the folders and top-level modules of src/goodfit that running a script executes."""
    direct = modules_named(script)
    assert direct, f"{script} imports nothing of goodfit"
    reached = direct | {upstream for name in direct for upstream in imports.find_upstream_modules(name)}
    tops = {name.split(".")[1] for name in reached if "." in name}
    package = ROOT / "src/goodfit"
    return {f"src/goodfit/{top}" if (package / top).is_dir() else f"src/goodfit/{top}.py" for top in tops}


def test_the_graph_is_the_one_that_is_promised() -> None:
    assert list(GRAPH) == ORDER


@pytest.mark.parametrize("name", ORDER)
def test_a_stage_depends_on_exactly_what_it_imports(name: str, imports: grimp.ImportGraph) -> None:
    declared = {path for path in GRAPH[name].dependencies if path.startswith("src/")}
    assert declared == sources_of(ROOT / f"pipeline/{name}.py", imports)
    assert f"pipeline/{name}.py" in GRAPH[name].dependencies


@pytest.mark.parametrize("name", ORDER)
def test_a_stage_declares_exactly_the_sections_it_reads(name: str) -> None:
    assert set(GRAPH[name].sections) == fields_of(load_script(ROOT, name).Params)


def test_every_section_is_read_by_some_stage_or_is_a_commands_own() -> None:
    read = {section for entry in GRAPH.values() for section in entry.sections}
    assert read | set(COMMANDS_OWN) == set(SECTIONS)
    assert not read & set(COMMANDS_OWN)
    assert set(COMMANDS_OWN) == fields_of(CommandParams)


def test_a_dependency_left_out_would_be_noticed(imports: grimp.ImportGraph, tmp_path: Path) -> None:
    script = tmp_path / "split.py"
    script.write_text((ROOT / "pipeline/split.py").read_text() + "\nimport goodfit.metrics\n")
    declared = {path for path in GRAPH["split"].dependencies if path.startswith("src/")}
    assert sources_of(script, imports) - declared == {"src/goodfit/metrics"}


@pytest.mark.parametrize(
    ("edited", "stages"),
    [
        ("src/goodfit/metrics", ["evaluate"]),
        ("src/goodfit/evaluation", ["evaluate"]),
        ("src/goodfit/models", ["tune", "train", "evaluate"]),
        ("src/goodfit/regularizers", ["tune", "train", "evaluate"]),
        ("src/goodfit/tuning", ["tune"]),
        ("src/goodfit/sources", ["ingest"]),
        ("src/goodfit/splits", ["split"]),
        ("src/goodfit/checks", ["validate"]),
    ],
)
def test_an_edit_re_runs_only_what_it_can_change(edited: str, stages: list[str]) -> None:
    assert [name for name in ORDER if edited in GRAPH[name].dependencies] == stages


def test_nothing_that_chooses_lists_the_test_rows() -> None:
    for name in ("tune", "train"):
        assert "data/test.parquet" not in GRAPH[name].dependencies


def test_every_path_is_written_by_one_stage_and_read_after_it() -> None:
    written: set[str] = set()
    for name in ORDER:
        made = {path for path in GRAPH[name].inputs if path.split("/")[0] in ("data", "reports", "models", "artifacts")}
        assert made <= written, f"{name} reads {made - written} before any stage writes it"
        assert not written & set(GRAPH[name].outputs)
        written |= set(GRAPH[name].outputs)


def test_only_record_always_runs() -> None:
    stages = read_yaml(ROOT / "dvc.yaml")["stages"]
    assert [name for name, stage in stages.items() if stage.get("always_changed")] == ["record"]
    assert GRAPH["record"].outputs == ()
