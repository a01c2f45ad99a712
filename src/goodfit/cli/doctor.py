"""`goodfit doctor`: what is wrong with this workspace, and mended with --fix."""

import json
from pathlib import Path
from typing import Annotated

import typer

from goodfit.doctor import examine, mend
from goodfit.stage import say


def doctor(
    fix: Annotated[bool, typer.Option("--fix", help="Mend what can be mended.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> int:
    """Examine environment, DVC's locks and cache, tracker and leftovers. Exit 0 when all is well, 4 when not."""
    findings = examine(Path.cwd())
    left = mend(findings) if fix else [finding for finding in findings if not finding.ok]
    if as_json:
        typer.echo(
            json.dumps(
                [{"name": f.name, "ok": f.ok, "detail": f.detail, "mendable": f.mend is not None} for f in findings]
            )
        )
        return 4 if left else 0
    for finding in findings:
        mended = fix and not finding.ok and finding.mend is not None
        say(f"{'mended' if mended else 'ok' if finding.ok else 'WRONG'}  {finding.name}: {finding.detail}")
    if left and not fix and any(finding.mend for finding in left):
        say("Run goodfit doctor --fix to mend what can be mended.")
    return 4 if left else 0
