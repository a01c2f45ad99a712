"""Lightning's Trainer without its surprises: no files, no loggers, no signal handlers, nothing from the environment."""

import inspect
import logging
import os
import signal
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from pytorch_lightning import Callback, LightningModule, Trainer

from goodfit.training.checkpoints import SealedCheckpoints
from goodfit.training.module import EpochTicks, TrainingModule

LOGGERS = ("pytorch_lightning", "lightning_fabric", "lightning.pytorch", "lightning.fabric")


def run(module: TrainingModule, device: torch.device, checkpoint: Path | None) -> None:
    """Train to the end, from a checkpoint if there is one.

    Whatever ends it (KeyboardInterrupt, Interrupted, an error of ours) comes out as it is.
    """
    with _quiet(), _signals_kept() as handlers:
        trainer = Trainer(**_settings(module, device, handlers))
        try:
            trainer.fit(module, EpochTicks(), ckpt_path=checkpoint)
        except SystemExit as exit_:
            # Lightning turns Ctrl-C into SystemExit, which a stage or a search would take for something else.
            if isinstance(exit_.__context__, KeyboardInterrupt):
                raise exit_.__context__ from None
            raise
        finally:
            del module.group  # the module and the Trainer hold each other, and the rows with them, until a collection


class PreviousHandlers(Callback):
    """Puts back the signal handlers that Lightning replaced: with its own, SIGTERM ends in exit code 0."""

    def __init__(self, handlers: dict[int, Any]) -> None:
        self.handlers = handlers

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Restore; if Lightning's handler swallowed a SIGTERM that would have ended the process, send it again."""
        _restore(self.handlers)
        if trainer.received_sigterm and self.handlers[signal.SIGTERM] == signal.SIG_DFL:
            os.kill(os.getpid(), signal.SIGTERM)


def _settings(module: TrainingModule, device: torch.device, handlers: dict[int, Any]) -> dict[str, Any]:
    """Return every argument of the Trainer: one left out could be set by a PL_TRAINER_... environment variable."""
    parameters = inspect.signature(Trainer.__init__).parameters.values()
    defaults = {p.name: p.default for p in parameters if p.default is not inspect.Parameter.empty}
    return defaults | {
        "accelerator": device.type,
        "devices": 1,
        "max_epochs": module.standing.candidate.recipe.training.epochs,
        "num_sanity_val_steps": 0,
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "enable_autolog_hparams": False,
        "use_distributed_sampler": False,
        "callbacks": [PreviousHandlers(handlers)],
        "plugins": [SealedCheckpoints(), LightningEnvironment()],
        "default_root_dir": str(module.folder or Path.cwd()),
    }


@contextmanager
def _signals_kept() -> Iterator[dict[int, Any]]:
    watched = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
    handlers: dict[int, Any] = {number: signal.getsignal(number) for number in watched}
    try:
        yield handlers
    finally:
        _restore(handlers)


def _restore(handlers: dict[int, Any]) -> None:
    if threading.current_thread() is not threading.main_thread():
        return
    for number, handler in handlers.items():
        if handler is not None and signal.getsignal(number) is not handler:
            signal.signal(number, handler)


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence Lightning's advertisements and its advice about loaders that we do not use."""
    loggers = [logging.getLogger(name) for name in LOGGERS]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"pytorch_lightning|lightning_fabric")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
