"""Run the HTTP interface on this machine, until a signal ends it."""

import signal
import socket
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

from goodfit.errors import Fault, MachineError

HOST = "127.0.0.1"
MOST_AT_ONCE = 256
"""Connections; beyond them a client is told to come back (503)."""


def bound(port: int) -> socket.socket:
    """Return a socket that listens on 127.0.0.1.

    Raises:
        MachineError: the port is taken or not allowed.
    """
    # With the protocol named: asyncio sets TCP_NODELAY only then, and without it an answer may wait 40 ms for a client.
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((HOST, port))
    except OSError as error:
        sock.close()
        raise MachineError(
            [Fault("--port", f"cannot be used: {error.strerror}", port, "Name another port.")]
        ) from error
    return sock


def server(app: FastAPI) -> uvicorn.Server:
    """Return the server of an application."""
    config = uvicorn.Config(
        app,
        log_level="critical",
        access_log=False,
        server_header=False,
        lifespan="off",
        limit_concurrency=MOST_AT_ONCE,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=10,
    )
    return uvicorn.Server(config)


def serve(app: FastAPI, sock: socket.socket, ready: Callable[[], None]) -> None:
    """Serve until SIGINT or SIGTERM; requests that have begun are answered first.

    Args:
        app: the application.
        sock: listens.
        ready: called once signals are heard.
    """
    running = server(app)

    def end(number: int, frame: object) -> None:
        running.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)  # uvicorn takes them later, and gives each on to this when it has ended by itself
    ready()
    running.run(sockets=[sock])
