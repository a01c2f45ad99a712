"""Train in a process that a test may kill. Variables: state, result, failpoint, without (the defence to switch off)."""

import importlib.util
import itertools
import os
import signal
from pathlib import Path

import torch

from goodfit.errors import Interrupted
from goodfit.training import Epoch, fit, noise, trainer

spec = importlib.util.spec_from_file_location("made_up", Path(__file__).with_name("conftest.py"))
made_up = importlib.util.module_from_spec(spec)
spec.loader.exec_module(made_up)

variables = {"failpoint": "", "without": "", "signal_at": 0, "handler": "", "early": False, **globals()}
if variables["failpoint"]:
    os.environ |= {"GOODFIT_TEST": "1", "GOODFIT_FAILPOINT": variables["failpoint"]}
if variables["without"] == "reseeding":
    counted = itertools.count()
    noise.derived = lambda *_: next(counted)  # generators that go on where the process is, not where the epoch is
if variables["without"] == "previous handlers":
    trainer.PreviousHandlers.on_train_start = lambda *_: None
if variables["early"]:
    restore = trainer.PreviousHandlers.on_train_start

    def late(self: object, *arguments: object) -> None:
        signal.raise_signal(signal.SIGTERM)  # Lightning's handler still stands, and takes it
        restore(self, *arguments)

    trainer.PreviousHandlers.on_train_start = late


def interrupted(number: int, frame: object) -> None:
    raise Interrupted(number)


signal.signal(signal.SIGINT, signal.default_int_handler)
if variables["handler"] == "ours":
    signal.signal(signal.SIGTERM, interrupted)

trained: list[Epoch] = []


def report(epoch: Epoch) -> None:
    trained.append(epoch)
    if epoch.number == variables["signal_at"]:
        os.kill(os.getpid(), variables["sends"])


recipe, data = made_up.made()
try:
    result = fit(recipe, data, seed=1, state=variables["state"], on_epoch=report, progress=False)
except (KeyboardInterrupt, Interrupted) as error:
    variables["result"].write_text(type(error).__name__)
    os._exit(143 if isinstance(error, Interrupted) else 130)
torch.save(
    {
        "weights": result.model.state_dict(),
        "metrics": [dict(epoch.metrics) for epoch in result.epochs],
        "restored": sum(epoch.restored for epoch in trained),
    },
    variables["result"],
)
