"""A local S3 server for the sources, and a project folder to stand in."""

import contextlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from goodfit.params import check
from goodfit.registry import Section
from goodfit.sources import SOURCES, Ingested, SourceSection, ingest


class Params(Section):
    """As pipeline/ingest.py has it."""

    source: SourceSection


@dataclass(frozen=True)
class Read:
    """What came out of an ingest: the table on disk, the summary, and what was said."""

    table: pa.Table
    done: Ingested
    said: str

    def values(self, name: str) -> list[Any]:
        return self.table.column(name).to_pylist()

    def kind(self, name: str) -> str:
        return str(self.table.schema.field(name).type)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project folder, and the current one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "input").mkdir()
    return tmp_path


@pytest.fixture
def read(project: Path) -> Callable[..., Read]:
    """Ingest with options as params.yaml would hold them."""

    def run(**options: Any) -> Read:
        source = SOURCES.build(check({"source": options}, Params, "params.yaml").source)
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            done = ingest(source, project / "data/raw.parquet")
        return Read(pq.read_table(project / "data/raw.parquet"), done, said.getvalue())

    return run


@pytest.fixture
def csv(project: Path, read: Callable[..., Read]) -> Callable[..., Read]:
    """Write bytes or text to input/table.csv and ingest it."""

    def run(content: bytes | str, **options: Any) -> Read:
        data = content.encode() if isinstance(content, str) else content
        (project / "input/table.csv").write_bytes(data)
        return read(kind="csv", path="input/table.csv", **options)

    return run


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """The address of a local S3 server."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client of the local server with the bucket `lake`; the environment names server and credentials."""
    import boto3
    from s3fs import S3FileSystem

    for name, value in {
        "AWS_ENDPOINT_URL": s3_server,
        "AWS_ACCESS_KEY_ID": "key-of-the-test",
        "AWS_SECRET_ACCESS_KEY": "secret-of-the-test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    S3FileSystem.clear_instance_cache()
    client = boto3.client("s3")
    client.create_bucket(Bucket="lake")
    yield client
    for item in client.list_objects_v2(Bucket="lake").get("Contents", []):
        client.delete_object(Bucket="lake", Key=item["Key"])
    client.close()
    S3FileSystem.clear_instance_cache()
