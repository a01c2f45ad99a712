"""One of several processes that decide at once: python succession_in_child.py URI VERSION ROUNDS BARRIER_PORT."""

import json
import socket
import sys

from goodfit.tracking.courier import Courier
from goodfit.tracking.model_registry import ModelRegistry
from goodfit.tracking.section import TrackingSection


def main(uri: str, version: str, rounds: str, port: str) -> None:
    from pathlib import Path

    section = TrackingSection(experiment="churn", model_name="churn", uri=uri)
    client, experiment = Courier(Path.cwd(), uri, section.experiment).client()
    registry = ModelRegistry(client, experiment, uri, "churn")
    with socket.create_connection(("127.0.0.1", int(port))) as barrier:
        lines = barrier.makefile("rw")
        for _ in range(int(rounds)):
            base = registry.succession.head()
            lines.write("ready\n")
            lines.flush()
            assert lines.readline() == "go\n"
            decision = registry.succession.decide(base, "promotion", int(version), f"process {version} won")
            lines.write(json.dumps(decision and decision.number) + "\n")
            lines.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
