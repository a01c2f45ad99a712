"""The stage protocol: what every script under pipeline/ runs inside. Such a script imports this package first."""

import sys
from pathlib import Path

from goodfit.stage.console import console, say
from goodfit.stage.failpoints import failpoint, stand_in
from goodfit.stage.owner import Owner
from goodfit.stage.protocol import Stage, guard_imports, run_stage

if Path(sys.argv[0]).parent.name == "pipeline":
    guard_imports()

__all__ = ["Owner", "Stage", "console", "failpoint", "run_stage", "say", "stand_in"]
