"""The gates of `make check`, each broken on purpose."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


LINT_IMPORTS = "import sys; sys.path.insert(0, 'src'); from importlinter.cli import lint_imports_command as c; c()"


def layers(root: Path) -> int:
    command = [sys.executable, "-c", LINT_IMPORTS, "--no-cache"]
    return subprocess.run(command, cwd=root, capture_output=True, check=False).returncode


def lint(root: Path) -> int:
    command = [BIN / "ruff", "check", "--no-cache", "src"]
    return subprocess.run(command, cwd=root, capture_output=True, check=False).returncode


def test_the_layers_hold(copy: Path) -> None:
    assert layers(copy) == 0


@pytest.mark.parametrize(
    ("module", "line"),
    [("data/table.py", "import goodfit.tracking"), ("splits/random.py", "import goodfit.sources"),
     ("tuning/search.py", "import goodfit.tracking")],
)  # fmt: skip
def test_an_import_against_the_layers_is_caught(copy: Path, module: str, line: str) -> None:
    path = copy / "src/goodfit" / module
    path.write_text(f"{path.read_text()}\n{line}\n")
    assert layers(copy) != 0


@pytest.mark.parametrize("package", ["mlflow", "optuna", "great_expectations", "yaml", "pickle"])
def test_a_service_imported_outside_its_edge_is_caught(copy: Path, package: str) -> None:
    path = copy / "src/goodfit/data/table.py"
    assert lint(copy) == 0
    path.write_text(
        path.read_text().replace("import json\n", f"import json\nimport {package}\n") + f"\nprint({package})\n"
    )
    assert lint(copy) != 0


def test_no_recipe_hides_an_exit_code_behind_a_pipe() -> None:
    recipe = re.search(r"^check:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert recipe
    lines = recipe[1].splitlines()
    assert len(lines) >= 4
    assert not [line for line in lines if " | " in line]
