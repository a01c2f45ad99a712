"""Bundles made to harm are refused by predict and serve, from a folder or the registry, and nothing of them runs."""

import importlib.util
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from goodfit.bundle.seal import MAX_BYTES
from goodfit.cli.main import app
from goodfit.errors import DataError
from goodfit.files import digest_of_path
from goodfit.serving.choosing import choose
from goodfit.tracking.downloading import MOST_BYTES

HERE = Path(__file__).parent


def loaded(name: str, path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec and spec.loader
    sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


POISON = loaded("poison_for_serving", HERE.parent / "bundle/test_bundle_poisoned.py").POISON
made_up = loaded("made_up_for_poison", HERE / "conftest.py")
TWELVE = [
    "pickled_weights", "bare_pickle", "object_array", "pickle_beside", "code_folder", "loader_module", "traversal",
    "linked_weights", "sparse", "huge_tensor", "nan", "other_shape",
]  # fmt: skip


def test_twelve_kinds_are_tried() -> None:
    assert len(set(TWELVE) & set(POISON)) == 12


@pytest.mark.parametrize("verb", ["predict", "serve"])
@pytest.mark.parametrize("name", TWELVE)
def test_a_poisoned_bundle_is_refused_by_the_command(project: Path, name: str, verb: str) -> None:
    canary = project / "canary"
    made_up.rows(5).to_csv("in.csv", index=False)
    POISON[name](project / "models/candidate", canary)
    started = time.process_time()
    arguments = {"predict": ["in.csv", "out.csv"], "serve": ["--port", "0"]}[verb]
    with pytest.raises(DataError, match="candidate"):
        app([verb, *arguments, "--model", "models/candidate"], standalone_mode=False)
    assert time.process_time() - started < 5
    assert not canary.exists()
    assert not (project / "out.csv").exists()


def test_what_a_bundle_may_have_fits_what_may_be_downloaded() -> None:
    assert sum(MAX_BYTES.values()) <= MOST_BYTES <= 2 * sum(MAX_BYTES.values())


def test_a_poisoned_version_is_refused(second: Any, tmp_path: Path) -> None:
    """What lies in the artifact store is exchanged, beside and inside the bundle; the registry says nothing of it."""
    canary = tmp_path / "canary"
    section = second.params.tracking
    clean = tmp_path / "clean"
    choose("2", second.root, lambda: section, clean)
    (bundle,) = [manifest.parent for manifest in clean.rglob("manifest.json")]
    found = [m.parent for m in second.root.rglob("manifest.json") if digest_of_path(m.parent) == digest_of_path(bundle)]
    stored = [folder for folder in found if "models" not in folder.relative_to(second.root).parts[:1]]
    assert len(stored) == 1, stored
    refused = 0
    for name in TWELVE:
        shutil.rmtree(stored[0])
        shutil.copytree(bundle, stored[0])
        POISON[name](stored[0], canary)
        started = time.process_time()
        with pytest.raises(DataError) as raised:
            choose("2", second.root, lambda: section, tmp_path / name)
        assert time.process_time() - started < 5
        if name == "sparse":
            assert "bytes in its files, and may have at most" in str(raised.value)
            assert not list((tmp_path / name).rglob("weights.safetensors")), "not one byte of it was copied"
        refused += 1
    shutil.rmtree(stored[0])
    shutil.copytree(bundle, stored[0])
    model = next(folder / "MLmodel" for folder in stored[0].parents if (folder / "MLmodel").exists())
    (model.parent / "code").mkdir()
    (model.parent / "code/goodfit.py").write_text(f"open({str(canary)!r}, 'w')")
    model.write_text(
        model.read_text().replace("loader_module: goodfit.bundle", "loader_module: goodfit\n    code: code")
    )
    assert choose("2", second.root, lambda: section, tmp_path / "beside").version == 2, "MLmodel is not even read"
    assert refused == 12 and not canary.exists()
