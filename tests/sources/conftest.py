"""Real services for the sources: a PostgreSQL of our own and a local S3 server; and a project folder to stand in."""

import contextlib
import io
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
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

PASSWORD = "geheim@/ü %wort"


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


@dataclass(frozen=True)
class Server:
    """A PostgreSQL server."""

    host: str
    port: int
    user: str
    password: str

    def url(self, password: str | None = None, database: str = "postgres") -> str:
        from sqlalchemy import URL

        secret = self.password if password is None else password
        url = URL.create("postgresql+psycopg", self.user, secret, self.host, self.port, database)
        return url.render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A server in a folder of its own, on a free port, with a password; Debian's binaries, never as root."""
    binaries = _postgresql_binaries()
    folder = Path(tempfile.mkdtemp(prefix="goodfit-pg-"))
    account = _unprivileged()
    shutil.chown(folder, *(account[:2] if account else (os.getuid(), os.getgid())))
    prefix = ["setpriv", f"--reuid={account[0]}", f"--regid={account[1]}", "--clear-groups"] if account else []
    (folder / "password").write_text(PASSWORD, encoding="utf-8")
    (folder / "password").chmod(0o644)
    port = _free_port()
    initdb = [*prefix, str(binaries / "initdb"), "-D", str(folder / "data"), "-U", "tester", "--no-sync", "-E", "UTF8"]
    initdb += ["--locale=C", "-A", "scram-sha-256", f"--pwfile={folder / 'password'}"]
    start = [*prefix, str(binaries / "postgres"), "-D", str(folder / "data"), "-p", str(port), "-h", "127.0.0.1"]
    start += ["-k", str(folder), "-c", "fsync=off", "-c", "max_connections=20"]
    try:
        subprocess.run(initdb, check=True, capture_output=True, cwd=folder, timeout=120)
        with subprocess.Popen(start, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder) as process:
            try:
                _wait_for(port, process)
                yield Server("127.0.0.1", port, "tester", PASSWORD)
            finally:
                process.send_signal(signal.SIGINT)
                process.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _postgresql_binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: float(p.parts[-3]))
    inside = shutil.which("initdb")
    if found or inside:
        return (found[-1] if found else Path(str(inside))).parent
    if os.environ.get("CI"):
        pytest.fail("PostgreSQL's binaries are missing, and in CI they must not be: apt-get install postgresql")
    pytest.skip("PostgreSQL's binaries are not installed")


def _unprivileged() -> tuple[int, int] | None:
    """An account for the server where the tests run as root, which PostgreSQL refuses."""
    if os.getuid():
        return None
    entry = pwd.getpwnam("nobody")
    return entry.pw_uid, entry.pw_gid


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    import psycopg

    deadline = time.monotonic() + 60
    while True:
        try:
            psycopg.connect(
                host="127.0.0.1", port=port, user="tester", password=PASSWORD, dbname="postgres", connect_timeout=2
            ).close()
            return
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.1)


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
