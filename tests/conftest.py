"""What holds for every test, and the PostgreSQL server that some talk to."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PASSWORD = "geheim@/ü %wort"


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Name a bytes parameter by its argument: packed bytes hold the time, and workers must collect equal names."""
    return argname if isinstance(val, bytes) else None


class RegularizerSettings:
    """Settings for tests over every regularizer, as sections of params.yaml."""

    def __init__(self) -> None:
        from goodfit.params import read_yaml
        from goodfit.regularizers import REGULARIZERS

        values = read_yaml(Path(__file__).with_name("regularizer_settings.yaml"))
        self._on: dict[str, Any] = values["on"]
        self._off: dict[str, Any] = values["off"]
        assert set(self._on) == set(self._off) == set(REGULARIZERS), "tests/regularizer_settings.yaml lacks some"
        self._classes = {kind: REGULARIZERS[kind].cls for kind in REGULARIZERS}

    def on(self, kind: str) -> dict[str, Any]:
        """One regularizer, and what it acts through."""
        parent = self._classes[kind].parent
        return (self.on(parent) if parent else {}) | {kind: self._on[kind]}

    def off(self, kind: str) -> dict[str, Any]:
        """One regularizer with zero strength."""
        return {kind: self._off[kind]}

    def together(self) -> list[dict[str, Any]]:
        """Sections with as many regularizers as can act together; each is in one of them."""
        groups: dict[str, list[str]] = {}
        for kind, cls in self._classes.items():
            groups.setdefault(cls.one_of or kind, []).append(kind)
        most = max(map(len, groups.values()))
        chosen = [{members[index % len(members)] for members in groups.values()} for index in range(most)]
        return [{kind: self._on[kind] for kind in sorted(kinds)} for kinds in chosen]


@pytest.fixture(scope="session")
def regularizer_settings() -> RegularizerSettings:
    return RegularizerSettings()


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


class Cluster:
    """A server in a folder of its own, on a free port, with a password; Debian's binaries, never as root.

    Attributes:
        server: how it is reached.
    """

    def __init__(self, folder: Path) -> None:
        binaries, account = _postgresql_binaries(), _unprivileged()
        self._folder = folder
        shutil.chown(folder, *(account[:2] if account else (os.getuid(), os.getgid())))
        prefix = ["setpriv", f"--reuid={account[0]}", f"--regid={account[1]}", "--clear-groups"] if account else []
        (folder / "password").write_text(PASSWORD, encoding="utf-8")
        (folder / "password").chmod(0o644)
        self.server = Server("127.0.0.1", _free_port(), "tester", PASSWORD)
        initdb = [*prefix, str(binaries / "initdb"), "-D", str(folder / "data"), "-U", "tester", "--no-sync"]
        initdb += ["-E", "UTF8", "--locale=C", "-A", "scram-sha-256", f"--pwfile={folder / 'password'}"]
        self._start = [*prefix, str(binaries / "postgres"), "-D", str(folder / "data"), "-p", str(self.server.port)]
        self._start += ["-h", "127.0.0.1", "-k", str(folder), "-c", "fsync=off", "-c", "max_connections=40"]
        subprocess.run(initdb, check=True, capture_output=True, cwd=folder, timeout=120)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, after a crash too: PostgreSQL then recovers first."""
        where = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": self._folder}
        self._process = subprocess.Popen(self._start, **where)  # type: ignore[call-overload]
        _wait_for(self.server.port, self._process)

    def stop(self, number: int = signal.SIGINT) -> None:
        """Stop it; SIGQUIT is what `pg_ctl -m immediate` sends: no connection is closed, nothing is written down."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(30)
            self._process = None


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A running server, which the tests share."""
    with _running_cluster() as cluster:
        yield cluster.server


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A running server of the test's own, which may crash."""
    with _running_cluster() as cluster:
        yield cluster


@contextmanager
def _running_cluster() -> Iterator[Cluster]:
    folder = Path(tempfile.mkdtemp(prefix="goodfit-pg-"))
    cluster = None
    try:
        cluster = Cluster(folder)
        cluster.start()
        yield cluster
    finally:
        if cluster is not None:
            cluster.stop()
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
