"""What the documentation says is what the project does."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from goodfit.cli.config import reference
from goodfit.cli.main import app
from goodfit.cli.preflight import load_script
from goodfit.params import check
from goodfit.regularizers import REGULARIZERS
from goodfit.splits import SPLITS
from goodfit.stage.graph import read_graph

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
TRY_MODEL = """
import torch
from goodfit.models import MODELS, Inputs
{code}
class NoBlocks:
    def before_activation(self, index, count, width): return []
    def after_activation(self, index, count, width): return []
model = MODELS.build(MODELS["wide"].options(width=8), Inputs(3, [4]), 2, NoBlocks())
assert model(torch.zeros(5, 3), torch.zeros(5, 1, dtype=torch.int64)).shape == (5, 2)
"""


def blocks(language: str) -> list[str]:
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```", README, re.MULTILINE | re.DOTALL)
    return [re.sub(rf"^{indent}", "", code, flags=re.MULTILINE) for indent, code in found]


def test_the_configuration_reference_is_generated() -> None:
    assert (ROOT / "docs/configuration.md").read_text() == reference(ROOT), (
        "run: goodfit config > docs/configuration.md"
    )


def test_the_model_of_the_readme_works() -> None:
    (code,) = blocks("python")
    done = subprocess.run(
        [sys.executable, "-c", TRY_MODEL.format(code=code)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_sections_of_the_readme_are_accepted() -> None:
    from ruamel.yaml import YAML

    (code,) = blocks("yaml")
    tree = YAML(typ="safe", pure=True).load(code)
    assert check({"source": tree["source"]}, load_script(ROOT, "ingest").Params, "README.md")
    schema = load_script(ROOT, "split").Params.model_fields["schema_"].annotation
    assert schema is not None
    assert schema.model_validate(tree["schema"]).target == "price"


def test_the_searches_of_the_readme_are_accepted() -> None:
    from ruamel.yaml import YAML

    trees = [YAML(typ="safe", pure=True).load(code) for code in blocks("text") if code.startswith("tune:")]
    assert len(trees) == 2
    sections = {name: load_script(ROOT, name).Params for name in ("tune", "train")}
    others = {"model": {"kind": "mlp"}, "tracking": {"experiment": "readme", "model_name": "readme"}}
    for tree in trees:
        assert check({"seed": 1, **others, "tune": tree["tune"]}, sections["tune"], "README.md")
        assert check({"seed": 1, **others, "train": tree.get("train", {})}, sections["train"], "README.md")


def test_the_commands_of_the_readme_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    named = re.findall(r"^make ([a-z-]+)|`make ([a-z-]+)`", README, re.MULTILINE)
    targets = {first or second for first, second in named}
    assert {"repro", "test", "ui"} <= targets
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    commands = [command for command in app.registered_commands if command.callback]
    names = {command.name or command.callback.__name__.replace("_", "-") for command in commands if command.callback}
    names |= {group.name for group in app.registered_groups if group.name}
    verbs = set(re.findall(r"`goodfit ([a-z-]+)", README))
    assert verbs
    assert verbs <= names


def test_lists_in_the_readme_equal_the_registries() -> None:
    assert len(REGULARIZERS) >= 6
    for name in [*REGULARIZERS, *SPLITS]:
        assert f"`{name}`" in README, name


def test_the_graph_in_the_readme_names_every_stage() -> None:
    for name in read_graph(ROOT):
        assert f"| `{name}` |" in README


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        assert target.startswith("https://") or (page.parent / target).exists(), target


def test_there_are_pages() -> None:
    assert {page.name for page in PAGES} >= {"README.md", "architecture.md", "configuration.md", "troubleshooting.md"}
