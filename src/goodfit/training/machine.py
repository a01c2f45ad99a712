"""What the machine must hold still for equal runs to give equal bits: device, threads, kernels, random numbers."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version

import torch
from torch.utils import deterministic

from goodfit.errors import Fault, MachineError

FILL = "fill_uninitialized_memory"  # by name: the module makes it by a metaclass that type checkers do not see
PLACE = "params.yaml: training.device"


def chosen_device(name: str) -> torch.device:
    """Return the device for `training.device`: auto takes a GPU where one is usable.

    Raises:
        MachineError: cuda is named and this machine has none that PyTorch can use.
    """
    usable = torch.cuda.is_available()
    if name == "cuda" and not usable:
        remedy = "Set training.device: auto (a GPU where there is one) or cpu."
        raise MachineError([Fault(PLACE, "PyTorch finds no usable CUDA device on this machine", name, remedy)])
    return torch.device("cuda", 0) if usable and name != "cpu" else torch.device("cpu")


def machine_facts(device: torch.device, threads: int) -> dict[str, str | int]:
    """Return what can change the bits of a result on another machine, and what a checkpoint's form depends on."""
    return {
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        "threads": threads,
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "mkl_cbwr": os.environ.get("MKL_CBWR", ""),
        "torch": torch.__version__,
        "lightning": _lightning_version(),
    }


@cache
def _lightning_version() -> str:
    return version("pytorch-lightning")  # by its metadata: the import takes seconds


@contextmanager
def held_still(device: torch.device, threads: int) -> Iterator[None]:
    """Set threads, deterministic kernels and a random state of our own; put back what was there.

    The thread count changes the bits of sums on a CPU, so it is set and never left to the machine. Kernels without a
    deterministic form raise on a CPU; on a GPU they warn, because PyTorch has no other form of them there.
    """
    if device.type == "cuda":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # without it cuBLAS may vary from run to run
    before = torch.get_num_threads()
    mode = torch.get_deterministic_debug_mode()
    devices = [device.index] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        try:
            torch.set_num_threads(threads)
            # The same switch as use_deterministic_algorithms, which imports torch's compiler first: 3 seconds.
            torch.set_deterministic_debug_mode("warn" if device.type == "cuda" else "error")
            with _unfilled():
                yield
        finally:
            torch.set_num_threads(before)
            torch.set_deterministic_debug_mode(mode)


@contextmanager
def _unfilled() -> Iterator[None]:
    """Do without the filling of new tensors with NaN, which costs a write per tensor and only finds bugs."""
    before = getattr(deterministic, FILL)
    setattr(deterministic, FILL, False)
    try:
        yield
    finally:
        setattr(deterministic, FILL, before)
