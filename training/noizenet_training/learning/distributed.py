"""Training in several processes, on one machine or more, as `torchrun` starts them.

Every process draws the same batches from the same random numbers, and learns from its own rows of each; gradients
are added up by DistributedDataParallel, weighted by the steps that they count. So n processes train as one does with
n times the `streams`, but for the order in which sums are rounded, and for dropout, which each draws for itself.

The first process (rank 0) is the only one that reads sound, looks at the clock and at the held-out part, writes and
speaks. What the others need to know of that, it shares with them. If it ends, for whatever reason, they end silently.

Source: Li et al., "PyTorch distributed: experiences on accelerating data parallel training", VLDB 2020.
"""

import contextlib
import gc
import os
import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import NoReturn, TypeVar

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from noizenet.errors import NoizeNetError, TrainingError, UsageError

T = TypeVar("T")
M = TypeVar("M", bound=nn.Module)

PATIENCE = timedelta(hours=6)  # that others wait for the first, who reads and encodes the corpus alone
LOST = ("closed by peer", "reset by peer", "Broken pipe")  # what Gloo says when another process is gone


class Group:
    """The processes that train together; a process alone is a group of one.

    Attributes:
        rank: number of this process, from 0.
        size: how many there are.
        device: where this one computes.
    """

    def __init__(self, rank: int = 0, size: int = 1, device: torch.device | None = None) -> None:
        self.rank = rank
        self.size = size
        self.device = device or torch.device("cuda" if torch.cuda.is_available() else "cpu")

    @property
    def is_first(self) -> bool:
        """Whether this process reads, writes and speaks for all."""
        return self.rank == 0

    def rows(self, streams: int) -> slice:
        """Returns which of a batch's streams are this process' own.

        Raises:
            UsageError: there are fewer streams than processes.
        """
        if streams < self.size:
            raise UsageError(
                f"{self.size} processes can't share a corpus of {streams} windows: start fewer, or make the windows "
                "shorter with --set unroll=N"
            )
        return slice(self.rank * streams // self.size, (self.rank + 1) * streams // self.size)

    def wrap(self, module: M) -> M | DistributedDataParallel:
        """Returns a module whose gradients are the means over all processes; its weights are the first process'."""
        if self.size == 1:
            return module
        return DistributedDataParallel(module, [self.device] if self.device.type == "cuda" else None)

    def total(self, *numbers: float) -> list[float]:
        """Returns the sums of numbers over all processes."""
        if self.size == 1:
            return list(numbers)
        sums = torch.tensor(numbers, dtype=torch.float64)
        dist.all_reduce(sums)
        return [float(number) for number in sums]

    def share(self, value: T | None = None) -> T:
        """Returns the first process' value in all of them; what others give is ignored."""
        box = [value]
        if self.size > 1:
            dist.broadcast_object_list(box, 0, device=torch.device("cpu"))
        return box[0]  # type: ignore[return-value]  # the first gives one


@contextlib.contextmanager
def joined() -> Iterator[Group]:
    """The group of the processes that `torchrun` started, or this one alone.

    Raises:
        TrainingError: another process has ended; in the first.
        UsageError: there are more processes than GPUs on this machine.

    In the others an error that is meant for the user ends the process silently: the first one has it, too, and speaks.
    """
    if not dist.is_torchelastic_launched() or os.environ["WORLD_SIZE"] == "1":
        yield Group()
        return
    rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    device = _own_device(int(os.environ["LOCAL_RANK"]), int(os.environ["LOCAL_WORLD_SIZE"]))
    # what isn't a gradient goes by Gloo: it needs no GPU, and notices when another process is gone
    dist.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo", timeout=PATIENCE)
    group = Group(rank, size, device)
    try:
        yield group
    except (NoizeNetError, KeyboardInterrupt) as error:
        if group.is_first:
            raise
        _wait_for_first(group)
        leave(getattr(error, "exit_status", 1))
    except RuntimeError as error:
        if not any(words in str(error) for words in LOST):
            raise
        if not group.is_first:
            leave(1)
        raise TrainingError(
            "another process of this training has ended before its time; see what it said, and go on with --resume"
        ) from None
    # Not after an error: others may be waiting. Gloo's threads end with the last reference to them; one that still runs
    # when the interpreter ends may abort the process: it did in 3 of 30 runs, and in none after this.
    gc.collect()
    dist.destroy_process_group()


def leave(status: int) -> NoReturn:
    """Ends this process at once, when it has nothing left to do or to say."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _own_device(local_rank: int, on_this_machine: int) -> torch.device:
    """Returns the GPU of a process, or the CPU if there are none."""
    gpus = torch.cuda.device_count()
    if not gpus:
        return torch.device("cpu")
    if on_this_machine > gpus:
        raise UsageError(
            f"{on_this_machine} processes can't share {gpus} GPUs: start torchrun with --nproc-per-node {gpus}"
        )
    device = torch.device("cuda", local_rank)
    torch.cuda.set_device(device)
    return device


def _wait_for_first(group: Group) -> None:
    """Returns when the first process has ended: `torchrun` kills all when one fails, and the first may be writing."""
    with contextlib.suppress(RuntimeError):
        while True:
            group.share()
