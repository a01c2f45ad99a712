"""A real DVC repository in a temporary folder, with toy stages that run inside the stage protocol."""

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
WRAPPED = """
import os, signal, sys, time
from pathlib import Path
from goodfit.stage import Stage, run_stage
from goodfit.params import Seed
from goodfit.registry import Section

class Params(Section):
    seed: Seed = 0

def body(stage):
    {body}

run_stage("{name}", Params, body)
"""
ONE_STAGE = """
stages:
  toy:
    cmd: python pipeline/toy.py
    deps: [pipeline/toy.py]
    params: [seed]
    outs: [out.txt]
"""


@dataclass
class Repository:
    root: Path

    def script(self, name: str, body: str, wrapped: bool = True) -> None:
        text = (
            WRAPPED.format(name=name, body=body.replace("\n", "\n    "))
            if wrapped
            else f"import os, signal, sys, time\n{body}"
        )
        (self.root / "pipeline").mkdir(exist_ok=True)
        (self.root / f"pipeline/{name}.py").write_text(text)

    def graph(self, dependency: str = "pipeline/toy.py") -> None:
        """Write a graph of one stage, toy, that depends on its script or on what is named."""
        (self.root / "dvc.yaml").write_text(ONE_STAGE.replace("[pipeline/toy.py]", f"[{dependency}]"))
        (self.root / "params.yaml").write_text("seed: 1\n")

    @property
    def environment(self) -> dict[str, str]:
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("GOODFIT", "DVC_"))}
        path = f"{Path(sys.executable).parent}{os.pathsep}{clean['PATH']}"
        return clean | {"PATH": path, "DVC_NO_ANALYTICS": "1", "GOODFIT_TEST": "1"}

    def start(self, *command: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [*command], cwd=self.root, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, start_new_session=True,
        )  # fmt: skip

    def run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        process = self.start(*command)
        out, _ = process.communicate(timeout=120)
        return subprocess.CompletedProcess(command, process.returncode, out, "")

    def guards(self) -> list[int]:
        """Return the process ids of the guards on watch here."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                line = (process / "cmdline").read_bytes()
                if b"goodfit.doctor.guard" in line and (process / "cwd").readlink() == self.root:
                    found.append(int(process.name))
            except OSError:
                continue
        return found

    def settle(self) -> None:
        """Wait until no guard is left: one that still watches would mend what a test breaks."""
        deadline = time.monotonic() + 20
        while self.guards():
            assert time.monotonic() < deadline, "a guard outlives its DVC"
            time.sleep(0.05)

    def dvc(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return self.run(sys.executable, "-m", "dvc", *arguments)


@pytest.fixture(scope="session")
def empty_repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("empty")
    for command in (["git", "init", "-q"], [sys.executable, "-m", "dvc", "init", "-q"]):
        subprocess.run(command, cwd=root, check=True)
    shutil.copy(PROJECT / ".dvc/config", root / ".dvc/config")
    shutil.copy(PROJECT / ".dvcignore", root / ".dvcignore")
    return root


@pytest.fixture
def repository(empty_repository: Path, tmp_path: Path) -> Repository:
    root = tmp_path / "repository"
    shutil.copytree(empty_repository, root)
    return Repository(root)
