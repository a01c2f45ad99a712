"""The workspace's candidate as a registered version, with everything that later retrains must know of it."""

import platform
import sys
import tempfile
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import goodfit
from goodfit.bundle import load_bundle
from goodfit.data import Table, conform, infer_schema, read_frame, read_table
from goodfit.data.quarantine import kept_rows
from goodfit.errors import DataError, Fault
from goodfit.files import digest_of_file, read_json
from goodfit.retraining.known_rows import KnownRows
from goodfit.retraining.params import RetrainParams
from goodfit.retraining.reference import write_reference
from goodfit.splits import NAMES, SPLITS
from goodfit.tracking import ModelRegistry, Version, read_record, record_tags

CANDIDATE = Path("models/candidate")
RAW, QUARANTINE = Path("data/raw.parquet"), Path("data/quarantine.parquet")
PACKAGES = ("torch", "pytorch-lightning", "numpy", "pandas", "pyarrow", "scikit-learn", "mlflow", "safetensors")
RAW_MD5 = f"dvc.{RAW}.md5"
BY_TIME = "time"


def splits(root: Path) -> dict[str, Table]:
    """Return train, valid and test as they lie in the workspace."""
    return {name: read_table(root / f"data/{name}.parquet") for name in NAMES}


def validated(root: Path, params: RetrainParams) -> Table:
    """Return every row that passed validation, as the split stage sees it."""
    frame = read_frame(root / RAW)
    kept = kept_rows(len(frame), root / QUARANTINE)
    frame = conform(frame if kept.all() else frame[kept].reset_index(drop=True), params.schema_)
    return Table(frame, infer_schema(frame, params.schema_))


def identity_of(table: Table, params: RetrainParams) -> list[str]:
    """Return the columns in which two rows must be equal to be the same row."""
    return SPLITS.build(params.split).identity(table.schema)


def register(root: Path, params: RetrainParams, registry: ModelRegistry) -> Version:
    """Register the candidate, or find it registered; what is kept with it arrives before the version exists.

    Raises:
        DataError: there is no finished candidate in the workspace.
        ServiceError: its run has not arrived in the tracking store.
    """
    record = read_record(root)
    if record is None:
        raise DataError([Fault("run.json", "cannot be used: there is no candidate", None, "Run dvc repro.")])
    run_id = registry.run_of(str(record["attempt"])) or str(record["run_id"])
    with tempfile.TemporaryDirectory() as folder:
        _describe(root, params, Path(folder))
        registry.versions.keep_evidence(run_id, Path(folder))
    return registry.versions.register(run_id, str(record["attempt"]), root / CANDIDATE, _tags(root, record))


def _describe(root: Path, params: RetrainParams, folder: Path) -> None:
    tables, whole = splits(root), validated(root, params)
    seen = [tables[name].frame for name in ("train", "valid")]
    by_time = getattr(params.split, "kind", "") == BY_TIME
    known = KnownRows.of(whole, seen, identity_of(whole, params), by_time=by_time)
    write_reference(folder, load_bundle(root / CANDIDATE), tables, known, read_json(root / "metrics.json"))


def _tags(root: Path, record: Mapping[str, Any]) -> dict[str, Any]:
    data = {f"dvc.data/{name}.parquet.md5": digest_of_file(root / f"data/{name}.parquet") for name in ("raw", *NAMES)}
    environment = {f"goodfit.environment.{name}": text for name, text in environment_of(record).items()}
    return {**record_tags(record), **data, **environment, "goodfit.attempt": record["attempt"]}


def environment_of(record: Mapping[str, Any]) -> dict[str, str]:
    """Return what the model was made with: versions, and what decides bits on the machine."""
    found = {"goodfit": goodfit.__version__, "python": sys.version.split()[0], "platform": platform.platform()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found | {f"machine.{name}": str(value) for name, value in dict(record.get("machine") or {}).items()}
