"""The command that shows the project's runs in a browser, on this machine only."""

import os
import sys
from pathlib import Path

from goodfit.errors import Fault, ServiceError
from goodfit.tracking.redaction import redact
from goodfit.tracking.section import SERVERS, TrackingSection, address, sqlite_path
from goodfit.tracking.store import ARTIFACTS, check, connect

_SETTINGS = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}


def ui_command(section: TrackingSection, root: Path, port: int = 5000) -> list[str]:
    """Return the argv that serves MLflow's UI over the project's database on 127.0.0.1.

    The database's URI is put into this process's environment, for the command to inherit: it may hold a password, and
    every user of the machine may read a command's arguments.

    Raises:
        ServiceError: the runs are on a server, which has a UI of its own; or the database cannot be used.
    """
    uri = address(section, root)
    if uri.partition(":")[0] in SERVERS:
        raise ServiceError([Fault("tracking.uri", f"is a server: open {redact(uri)} in a browser")])
    check(uri)
    path = sqlite_path(uri)
    if path and not path.exists():
        connect(uri)  # MLflow would make the database without a lock
    artifacts = str((path.parent if path else root) / ARTIFACTS)
    # MLflow's default list of hosts lets 10.evil.com through, and so any page that rebinds its name to this machine.
    hosts = f"127.0.0.1:{port},localhost:{port}"
    host = ["--host", "127.0.0.1", "--port", str(port), "--workers", "1", "--allowed-hosts", hosts]
    os.environ.update(_SETTINGS | {"MLFLOW_BACKEND_STORE_URI": uri})
    return [sys.executable, "-m", "mlflow", "server", "--default-artifact-root", artifacts, *host]
