"""Stacks are trained by as many threads as there are cores; each computes with the threads its recipe names."""

import os
import time
import traceback
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType

import torch

from goodfit.errors import GoodfitError
from goodfit.training.machine import held_still
from goodfit.training.population.group import Group
from goodfit.training.seeds import derived


class Crew:
    """Threads that train stacks. The bits of a result do not depend on how many there are."""

    def __init__(self, groups: Sequence[Group]) -> None:
        threads = max((group.threads for group in groups), default=1)
        on_gpu = any(group.device.type == "cuda" for group in groups)
        self.pool = ThreadPoolExecutor(1 if on_gpu else max(_cores() // threads, 1), thread_name_prefix="population")

    def __enter__(self) -> "Crew":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.pool.shutdown(wait=True, cancel_futures=True)

    def train(self, groups: Sequence[Group], epoch: int) -> None:
        """Train every stack for one epoch."""
        with held_still(groups[0].device, groups[0].threads):
            alone = [group for group in groups if group.draws]  # one by one: all threads share torch's generator
            waiting = [self.pool.submit(_trained, group, epoch) for group in groups if group not in alone]
            for group in alone:
                torch.manual_seed(derived(group.standings[0].candidate.seed, "epoch", epoch))
                _trained(group, epoch)
            for future in waiting:
                future.result()


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _trained(group: Group, epoch: int) -> None:
    torch.set_num_threads(group.threads)
    try:
        group.epoch(epoch, clock=time.thread_time)
    except (OSError, MemoryError, GoodfitError):
        raise
    except Exception:
        for standing in group.standings:
            standing.error, standing.state = traceback.format_exc(), "FAIL"
