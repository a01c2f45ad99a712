"""Remote files of every kind, from a real S3 server on this machine."""

import functools
import gzip
import http.server
import io
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from goodfit.errors import ConfigurationError, DataError, MachineError, ServiceError
from goodfit.sources import remote

Reader = Callable[..., Any]


def parquet_bytes(start: int) -> bytes:
    target = io.BytesIO()
    pq.write_table(pa.table({"a": [start, start + 1]}), target)
    return target.getvalue()


def excel_bytes() -> bytes:
    target, book = io.BytesIO(), openpyxl.Workbook()
    book.active.append(["a"])
    book.active.append([7])
    book.save(target)
    return target.getvalue()


@pytest.mark.parametrize(
    ("kind", "key", "content", "values"),
    [
        ("csv", "t.csv", b"a,b\n1,x\n2,y\n", [1, 2]),
        ("csv", "t.csv.gz", gzip.compress(b"a,b\n1,x\n2,y\n"), [1, 2]),
        ("jsonl", "t.jsonl", b'{"a": 3}\n{"a": 4}\n', [3, 4]),
        ("parquet", "deep/t.parquet", parquet_bytes(5), [5, 6]),
        ("excel", "t.xlsx", excel_bytes(), [7]),
    ],
)
def test_every_kind_of_file_from_s3(read: Reader, s3: Any, kind: str, key: str, content: bytes, values: Any) -> None:
    s3.put_object(Bucket="lake", Key=key, Body=content)
    found = read(kind=kind, path=f"s3://lake/{key}")
    assert found.values("a") == values
    assert "DVC cannot see changes in a remote store" in found.said


def test_a_partitioned_folder_and_a_glob_from_s3(read: Reader, s3: Any) -> None:
    for year in (2023, 2024):
        s3.put_object(Bucket="lake", Key=f"sales/year={year}/p.parquet", Body=parquet_bytes(year))
    s3.put_object(Bucket="lake", Key="sales/_SUCCESS", Body=b"")
    found = read(kind="parquet", path="s3://lake/sales")
    assert (found.values("a"), found.values("year")) == ([2023, 2024, 2024, 2025], [2023, 2023, 2024, 2024])
    assert read(kind="parquet", path="s3://lake/sales/*/*.parquet").values("year") == [2023, 2023, 2024, 2024]


def test_what_is_not_there_is_told(read: Reader, s3: Any) -> None:
    for url in ("s3://lake/missing.csv", "s3://no-such-bucket/t.csv"):
        with pytest.raises(ConfigurationError, match="source.path: there is no such object"):
            read(kind="csv", path=url)
    with pytest.raises(ConfigurationError, match="no file matches it"):
        read(kind="parquet", path="s3://lake/nothing/*.parquet")


def test_an_object_that_is_replaced_while_it_is_fetched(read: Reader, s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    s3.put_object(Bucket="lake", Key="t.csv", Body=b"a,b\n1,x\n")
    real, calls = remote._version, []

    def meddling(system: Any, url: str) -> object:
        calls.append(url)
        if len(calls) == 2:
            s3.put_object(Bucket="lake", Key="t.csv", Body=b"a,b\n2,y\n")
        return real(system, url)

    monkeypatch.setattr(remote, "_version", meddling)
    with pytest.raises(DataError, match=r"s3://lake/t.csv: changed while it was being read"):
        read(kind="csv", path="s3://lake/t.csv")


def test_a_store_that_does_not_answer_costs_seconds(
    read: Reader, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from s3fs import S3FileSystem

    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key-of-the-test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-the-test")
    S3FileSystem.clear_instance_cache()
    with pytest.raises(ServiceError, match="the store does not answer") as raised:
        read(kind="csv", path="s3://lake/t.csv")
    assert "secret-of-the-test" not in str(raised.value)
    S3FileSystem.clear_instance_cache()


def test_a_refusal_is_told_with_the_variables_to_set(read: Reader, s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(system: Any, url: str) -> object:
        raise PermissionError("Access Denied")

    monkeypatch.setattr(remote, "_version", refuse)
    with pytest.raises(ServiceError, match="AWS_ACCESS_KEY_ID"):
        read(kind="csv", path="s3://lake/t.csv")


@pytest.mark.parametrize(
    "url",
    [
        "https://me:geheim@host/t.csv",
        "https://host/t.csv?X-Amz-Signature=geheim&X-Amz-Credential=geheim",
        "https://host/t.csv?sig=geheim",
        "s3://key:geheim@lake/t.csv",
    ],
)
def test_credentials_in_a_url_are_refused_and_not_repeated(read: Reader, url: str) -> None:
    with pytest.raises(ConfigurationError, match="holds credentials") as raised:
        read(kind="csv", path=url)
    assert "geheim" not in str(raised.value)


@pytest.mark.parametrize(
    ("url", "error", "message"),
    [
        ("htps://lake/t.csv", ConfigurationError, "Did you mean 'https'"),
        ("simplecache::s3://lake/t.csv", ConfigurationError, "no protocol"),
        ("gs://lake/t.csv", MachineError, "gcsfs"),
    ],
)
def test_unknown_protocols(read: Reader, url: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        read(kind="csv", path=url)


def test_a_file_url_is_a_local_path(read: Reader, project: Path) -> None:
    folder = project / "a b"
    folder.mkdir()
    (folder / "t.csv").write_text("a,b\n1,x\n")
    found = read(kind="csv", path=(folder / "t.csv").as_uri())
    assert found.values("a") == [1]
    assert "lies outside of what DVC watches for ingest" in found.said


def test_a_web_server_is_a_store_too(read: Reader, project: Path) -> None:
    (project / "t.csv").write_text("a,b\n1,x\n")
    handler = functools.partial(QuietHandler, directory=str(project))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}"
        assert read(kind="csv", path=f"{url}/t.csv").values("a") == [1]
        with pytest.raises(ConfigurationError, match="there is no such object"):
            read(kind="csv", path=f"{url}/missing.csv")
        server.shutdown()
        thread.join()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Without a line per request."""

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""
