"""A workspace with one toy stage, run as a process of its own."""

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

SCRIPT = """
import os, signal, sys, time
from pathlib import Path
from goodfit.stage import Stage, failpoint, run_stage, say
{imports}
from goodfit.errors import *
from goodfit.params import Seed
from goodfit.registry import Section

class Params(Section):
    seed: Seed

def toy(stage):
{body}

if __name__ == "__main__":
    run_stage("toy", Params, toy)
"""
GRAPH = """
stages:
  toy:
    cmd: python pipeline/toy.py
    deps: [pipeline/toy.py, input.txt]
    params: [seed]
    outs: [one.txt, two]
"""
WRITE_BOTH = """
Path("one.txt").write_text("1")
Path("two").mkdir()
Path("two/a.txt").write_text("2")
"""


@dataclass
class Toy:
    root: Path

    def write(self, body: str = WRITE_BOTH, imports: str = "", params: str = "seed: 1\n", graph: str = GRAPH) -> None:
        (self.root / "pipeline").mkdir(exist_ok=True)
        script = SCRIPT.format(imports=textwrap.dedent(imports), body=textwrap.indent(textwrap.dedent(body), "    "))
        (self.root / "pipeline/toy.py").write_text(script)
        (self.root / "dvc.yaml").write_text(graph)
        (self.root / "params.yaml").write_text(params)
        (self.root / "input.txt").write_text("in")

    def environment(self, **extra: str) -> dict[str, str]:
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("GOODFIT", "DVC_"))}
        path = f"{Path(sys.executable).parent}{os.pathsep}{clean['PATH']}"
        return clean | {"PATH": path, "GOODFIT_TEST": "1"} | extra

    def start(self, **extra: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "pipeline/toy.py"],
            cwd=self.root,
            env=self.environment(**extra),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, **extra: str) -> "subprocess.CompletedProcess[str]":
        process = self.start(**extra)
        out, err = process.communicate(timeout=60)
        return subprocess.CompletedProcess([], process.returncode, out, err)

    @property
    def manifest(self) -> Path:
        return self.root / ".goodfit/manifests/toy.json"


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    workspace = Toy(tmp_path)
    workspace.write()
    return workspace


ToyFactory = Callable[..., Toy]
