"""Fetch a URL through fsspec into a nameless local file; who may read it is decided by the environment alone."""

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any
from urllib.parse import parse_qsl, urlsplit

import fsspec

from goodfit.errors import ConfigurationError, DataError, Fault, MachineError, ServiceError, suggestion
from goodfit.files import CHUNK
from goodfit.sources.scratch import scratch

PLACE = "params.yaml: source.path"
PROTOCOLS = (
    *("s3", "gs", "gcs", "abfs", "az", "oci", "oss", "hf", "github"),
    *("http", "https", "ftp", "sftp", "ssh", "smb", "hdfs", "webhdfs", "webdav"),
)
SECRET = re.compile(r"sig|token|secret|password|passwd|credential|key", re.IGNORECASE)
TIMEOUTS = {"connect_timeout": 5, "read_timeout": 30, "retries": {"max_attempts": 2}}
"""Seconds; a store that does not answer costs seconds, not the default's minutes."""


def is_remote(path: str) -> bool:
    """Tell whether a path is a URL of another place than this machine's file system."""
    return "://" in path and not path.startswith("file://")


@contextmanager
def fetch(url: str) -> Iterator[IO[bytes]]:
    """Yield a local copy of a remote file.

    Raises:
        ConfigurationError: an unknown protocol, credentials in the URL, or no such object.
        DataError: the object was replaced while it was being fetched.
        MachineError: the protocol's package is not installed.
        ServiceError: the store refuses or does not answer.
    """
    system = file_system(url)
    with scratch() as copy:
        with answering(url):
            before = _version(system, url)
            with system.open(url, "rb") as stream:
                while chunk := stream.read(CHUNK):
                    copy.write(chunk)
            after = _version(system, url)
        if before != after:
            raise changed(url)
        yield copy


def changed(name: str) -> DataError:
    """Return the error of a file that was written to while it was read."""
    return DataError(
        [Fault(name, "changed while it was being read", None, "Wait until it is complete, then run again.")]
    )


def file_system(url: str) -> Any:
    """Return the fsspec file system of a URL."""
    _refuse_credentials(url)
    protocol = url.split("://")[0]
    if protocol not in PROTOCOLS or "::" in url:
        rule = f"'{protocol}' is no protocol of a store"
        raise ConfigurationError([Fault(PLACE, rule, None, suggestion(protocol, PROTOCOLS))])
    options: dict[str, Any] = {"config_kwargs": TIMEOUTS} if protocol in ("s3", "s3a") else {}
    try:
        return fsspec.filesystem(protocol, **options)
    except ImportError as error:
        remedy = f"Install its package: {error}"
        raise MachineError(
            [Fault(PLACE, f"'{protocol}://' needs a package that is not there", None, remedy)]
        ) from error


@contextmanager
def answering(url: str) -> Iterator[None]:
    """Turn what a store says into one of our errors."""
    try:
        yield
    except FileNotFoundError as error:
        raise ConfigurationError([Fault(PLACE, "there is no such object", url, "Look at bucket and key.")]) from error
    except PermissionError as error:
        remedy = "Set the credentials in the environment, for S3 AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
        raise ServiceError([Fault(url, "the store refuses to let this user read it", None, remedy)]) from error
    except Exception as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise  # this machine's disk is full
        rule = f"the store does not answer: {type(error).__name__}: {error}"
        raise ServiceError([Fault(url, rule, None, "Look at the network, the endpoint and the store.")]) from None


def _refuse_credentials(url: str) -> None:
    parts = urlsplit(url)
    secret = parts.password or any(SECRET.search(key) for key, _ in parse_qsl(parts.query))
    if secret:
        remedy = "Take them out of params.yaml, which is public, and set them in the environment."
        raise ConfigurationError([Fault(PLACE, "the URL holds credentials (not shown here)", None, remedy)])


def _version(system: Any, url: str) -> object:
    system.invalidate_cache()
    info = system.info(url)
    return info.get("size"), info.get("ETag"), str(info.get("LastModified", info.get("mtime")))
