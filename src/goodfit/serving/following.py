"""The model that answers now: exchanged as a whole when the champion changes, without a restart."""

import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

import pandas as pd

from goodfit.bundle import Scorer
from goodfit.errors import GoodfitError
from goodfit.serving.choosing import Chosen, of_version
from goodfit.stage import say
from goodfit.tracking import CHAMPION, ModelRegistry, TrackingSection, model_registry

EVERY = 2.0
"""Seconds between two looks at the alias."""
AGAIN = 60.0
"""Seconds after which a version that could not be used is tried again."""


class Follower:
    """Holds one loaded model; a thread exchanges it when the alias `champion` names another version.

    Whoever answers a request takes `current` once and uses nothing else, so no request sees two models. A version that
    cannot be used, or a store that does not answer, leaves the model that is there.

    Args:
        first: the model to begin with.
    """

    def __init__(self, first: Chosen) -> None:
        self._current = first
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._refused: tuple[int, float] = (0, 0.0)
        self.trouble = ""

    @property
    def current(self) -> Chosen:
        """The model that answers now; it never changes by itself."""
        return self._current

    @property
    def following(self) -> bool:
        """Whether a change of champion will be noticed."""
        return self._thread is not None

    def start(self, section: TrackingSection, root: Path, every: float = EVERY) -> None:
        """Follow the alias from now on."""
        self._thread = threading.Thread(target=self._run, args=(section, root, every), name="follower", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Follow no longer."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=10)

    def _run(self, section: TrackingSection, root: Path, every: float) -> None:
        while not self._stop.is_set():
            try:
                with model_registry(section, root) as registry:
                    while not self._stop.wait(every):
                        self._look(registry)
            except Exception as error:  # whatever the store does, the model that is there goes on answering
                self._tell(f"the champion cannot be followed: {error}")
                self._stop.wait(every)

    def _look(self, registry: ModelRegistry) -> None:
        number = registry.versions.aliases().get(CHAMPION)
        refused, at = self._refused
        if number is None or number == self._current.version:
            self.trouble = ""
            return
        if number == refused and time.monotonic() < at + AGAIN:
            return
        try:
            with tempfile.TemporaryDirectory() as scratch:
                self.exchange(of_version(registry, number, Path(scratch)))
        except GoodfitError as error:
            self._refused = (number, time.monotonic())
            self._tell(f"version {number} is champion and cannot be used: {error}")

    def exchange(self, chosen: Chosen) -> None:
        """Let another model answer from the next request on, after it has answered a row here."""
        warmed(chosen)
        self._current, self.trouble = chosen, ""
        say(f"serve: {chosen.name} answers now", stderr=True)

    def _tell(self, trouble: str) -> None:
        if trouble != self.trouble:
            say(f"serve: {trouble}; {self._current.name} goes on answering", stderr=True)
        self.trouble = trouble


def warmed(chosen: Chosen) -> Chosen:
    """Return the model after it has answered a row of missing values: what is slow only once is done."""
    columns = {column.name: column.type for column in chosen.bundle.schema.features}
    kinds = {"numeric": "float64", "boolean": "float64", "categorical": "object", "datetime": "datetime64[us]"}
    row = {name: pd.Series([None], dtype=kinds[kind]) for name, kind in columns.items()}
    with suppress(GoodfitError):
        Scorer(chosen.bundle).predict(pd.DataFrame(row))
    return chosen
