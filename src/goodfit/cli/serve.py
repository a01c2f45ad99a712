"""`goodfit serve`: answers over HTTP, on this machine only."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from goodfit.cli.predict import MODEL
from goodfit.stage import say


def serve(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 takes a free one.", min=0, max=65535)] = 8000,
    model: Annotated[str | None, typer.Option(help=MODEL)] = None,
    log: Annotated[bool, typer.Option(help="Keep requests and answers in .goodfit/predictions, for drift.")] = True,
) -> None:
    """Answer rows at http://127.0.0.1:PORT/predict; a new champion takes over without a restart."""
    # torch, MLflow and FastAPI take seconds to import; the other verbs need not wait for them.
    from goodfit.serving.app import application
    from goodfit.serving.choosing import choose
    from goodfit.serving.following import Follower, warmed
    from goodfit.serving.journal import Journal
    from goodfit.serving.params import tracking_section
    from goodfit.serving.parts import FOLDER
    from goodfit.serving.server import HOST, bound
    from goodfit.serving.server import serve as run

    root = Path.cwd()
    with tempfile.TemporaryDirectory() as scratch, bound(port) as sock:
        follower = Follower(warmed(choose(model, root, lambda: tracking_section(root), Path(scratch))))
        if model in (None, "champion"):
            follower.start(tracking_section(root), root)
        journal = Journal(root / FOLDER) if log else None
        name, place = follower.current.name, f"http://{HOST}:{sock.getsockname()[1]}"
        told = f"{name} answers at {place}/predict; what it needs: {place}/metadata; Ctrl-C ends it."
        try:
            run(application(follower, journal), sock, lambda: say(told))
        finally:
            follower.stop()
            if journal:
                journal.close()
    say("serve: ended")
