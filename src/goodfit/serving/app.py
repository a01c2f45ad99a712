"""The HTTP interface: /predict, /health, /metadata. What a client does wrong gets 4xx and a reason, no traceback."""

import time
from collections.abc import Mapping
from typing import Any

import anyio
import pandas as pd
from anyio.to_thread import run_sync
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect

from goodfit import __version__
from goodfit.bundle import Scorer
from goodfit.errors import DataError, Fault
from goodfit.serving.answers import unanswered
from goodfit.serving.bodies import MOST_FAULTS, MOST_ROWS, frame_of, rows_in
from goodfit.serving.choosing import Chosen
from goodfit.serving.following import Follower
from goodfit.serving.journal import Entry, Journal
from goodfit.stage import say

MOST_BYTES = 8 << 20
"""Size of a body."""
DRAINED = 256 << 20
"""Bytes of a body too large that are read and dropped, so that its sender hears why; beyond, the connection is cut."""
PATIENCE = 30.0
"""Seconds that a body may take to arrive."""
HOSTS = ["127.0.0.1", "localhost"]
"""Names by which the server may be called: a page elsewhere cannot reach it under a name of its own."""


def application(follower: Follower, journal: Journal | None) -> FastAPI:
    """Return the application.

    Args:
        follower: holds the model.
        journal: keeps requests and answers; None keeps nothing.
    """
    app = FastAPI(title="goodfit", version=__version__, docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=HOSTS)
    started = time.time()

    @app.post("/predict")
    async def predict(request: Request) -> JSONResponse:
        body = await _body(request)
        return await run_sync(_answered, follower.current, body, journal)

    @app.get("/health")
    async def health() -> dict[str, Any]:
        return _health(follower, journal, started)

    @app.get("/metadata")
    async def metadata() -> dict[str, Any]:
        return _metadata(follower.current)

    @app.exception_handler(HTTPException)
    async def refused(_: Request, error: HTTPException) -> JSONResponse:
        return _refusal(error.status_code, [str(error.detail)])

    @app.exception_handler(Exception)
    async def failed(_: Request, error: Exception) -> JSONResponse:
        say(f"serve: a request failed: {type(error).__name__}: {error}", stderr=True)
        return _refusal(500, ["This is a fault of the server; its log says more."])

    return app


async def _body(request: Request) -> bytes:
    """Return the body, once it is sure to be JSON and small enough.

    Raises:
        HTTPException: 415, 413 or 408.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    parts: list[bytes] = []
    size = 0
    try:
        with anyio.fail_after(PATIENCE):
            async for part in request.stream():
                size += len(part)
                if size <= MOST_BYTES:
                    parts.append(part)
                elif size > DRAINED:
                    break
    except (TimeoutError, ClientDisconnect) as error:
        raise HTTPException(408, f"the body did not arrive within {PATIENCE:g} s") from error
    if size > MOST_BYTES:
        raise HTTPException(413, f"the body has more than {MOST_BYTES:,} bytes: send fewer rows at a time")
    if kind != "application/json":
        raise HTTPException(415, "the body must be sent as application/json")
    return b"".join(parts)


def _answered(chosen: Chosen, body: bytes, journal: Journal | None) -> JSONResponse:
    """Answer by one model, whatever becomes of the alias meanwhile."""
    try:
        rows = rows_in(body)
        frame = frame_of(rows, chosen.bundle)
        said = Scorer(chosen.bundle).predict(frame)
        _refuse_unanswered(said)
    except DataError as error:
        return _refusal(422, [str(fault) for fault in error.faults] or [str(error)])
    named: list[Mapping[str, Any]] = [
        {str(k): value for k, value in answer.items()} for answer in said.to_dict("records")
    ]
    if journal is not None:
        needed = chosen.bundle.preprocessor.columns
        journal.add(Entry(chosen.version, [{name: row[name] for name in needed} for row in rows], named))
    return JSONResponse({"model": chosen.name, "version": chosen.version, "predictions": named})


def _refuse_unanswered(said: pd.DataFrame) -> None:
    rule = "lies so far from the training data that the model has no finite answer"
    faults = [Fault(f"rows[{number}]", rule) for number in unanswered(said).nonzero()[0][:MOST_FAULTS].tolist()]
    if faults:
        raise DataError(faults)


def _refusal(status: int, faults: list[str]) -> JSONResponse:
    return JSONResponse({"faults": [fault.encode("utf-8", "replace").decode() for fault in faults]}, status)


def _health(follower: Follower, journal: Journal | None, started: float) -> dict[str, Any]:
    chosen = follower.current
    kept = {"written": journal.written, "dropped": journal.dropped} if journal else None
    return {
        "status": "ok",
        "model": chosen.name,
        "version": chosen.version,
        "follows_champion": follower.following,
        "trouble": follower.trouble or None,
        "seconds": round(time.time() - started, 1),
        "log": kept,
    }


def _metadata(chosen: Chosen) -> dict[str, Any]:
    bundle = chosen.bundle
    needed = set(bundle.preprocessor.columns)
    return {
        "model": chosen.name,
        "version": chosen.version,
        "task": bundle.task,
        "target": bundle.schema.target.name,
        "classes": list(bundle.schema.classes),
        "threshold": bundle.threshold if bundle.task == "binary" else None,
        "columns": [{"name": c.name, "type": c.type} for c in bundle.schema.columns if c.name in needed],
        "most_rows": MOST_ROWS,
        "most_bytes": MOST_BYTES,
        "goodfit": __version__,
    }
