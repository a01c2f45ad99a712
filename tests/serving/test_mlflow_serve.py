"""`mlflow models serve` of the registered champion: the same answers, and its signature enforced."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from goodfit.bundle import Scorer
from goodfit.serving.choosing import choose
from goodfit.tracking import address


def asked(port: int, path: str, body: Any = None) -> tuple[int, Any]:
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", content, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            text = answer.read()
            return answer.status, json.loads(text) if text.strip().startswith(b"{") else text
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError:
        return 0, None


@pytest.mark.slow
def test_mlflow_serves_the_champion_with_its_signature(second: Any, tmp_path: Path) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    tools = Path(sys.executable).parent
    environment = os.environ | {"MLFLOW_TRACKING_URI": address(second.params.tracking, second.root)}
    environment["PATH"] = f"{tools}{os.pathsep}{os.environ['PATH']}"
    command = [str(tools / "mlflow"), "models", "serve", "-m", "models:/bench@champion", "-p", str(port)]
    command += ["-h", "127.0.0.1", "--env-manager", "local"]
    log = (tmp_path / "log").open("w")
    with log, subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True) as process:
        try:
            deadline = time.monotonic() + 180
            while asked(port, "/ping")[0] != 200:
                assert process.poll() is None and time.monotonic() < deadline, (tmp_path / "log").read_text()[-2000:]
                time.sleep(0.5)
            frame = pd.DataFrame({"x0": [0.25, -1.5, 2.0], "x1": [1.0, 0.5, -3.25]})
            split = {"dataframe_split": {"columns": list(frame), "data": frame.to_numpy().tolist()}}
            status, told = asked(port, "/invocations", split)
            expected = Scorer(choose("champion", second.root, lambda: second.params.tracking, tmp_path).bundle)
            assert status == 200, told
            assert [row["probability_yes"] for row in told["predictions"]] == expected.predict(frame)[
                "probability_yes"
            ].tolist()
            wrong = {"dataframe_split": {"columns": ["x0", "x1"], "data": [["text", 1.0]]}}
            status, said = asked(port, "/invocations", wrong)
            assert 400 <= status < 500 and "x0" in said, (status, said)
            status, said = asked(port, "/invocations", {"dataframe_split": {"columns": ["x0"], "data": [[1.0]]}})
            assert 400 <= status < 500 and "x1" in said, (status, said)
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(30)
