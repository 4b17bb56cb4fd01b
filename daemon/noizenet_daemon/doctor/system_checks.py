"""What the operating system allows: real-time priority, a steady clock of the processor, memory that stays in memory.

None of it decides whether a machine can play: the block times do. It decides how well that goes on beside other work.
"""

import os
import sys
import threading
from collections.abc import Iterable
from pathlib import Path

from noizenet_daemon.doctor.finding import Finding
from noizenet_daemon.engine import PRIORITY, raise_priority

PROCESSORS = Path("/sys/devices/system/cpu")
GOVERNORS = "cpu[0-9]*/cpufreq/scaling_governor"
STEADY = ("performance",)
LIMITS_FILE = "/etc/security/limits.d/audio.conf"


def limit(name: str) -> int | None:
    """Returns a soft limit of this process, as "RLIMIT_MEMLOCK"; -1 = unlimited, None = this system has none."""
    import resource

    number = getattr(resource, name, None)
    if number is None:
        return None
    soft = resource.getrlimit(number)[0]
    return -1 if soft == resource.RLIM_INFINITY else int(soft)


def may_run_in_real_time() -> bool:
    """Returns whether a thread of this process gets real-time priority, as the engine asks for it."""
    granted: list[bool] = []
    thread = threading.Thread(target=lambda: granted.append(raise_priority()), name="priority")
    thread.start()
    thread.join()
    return granted[0]


def check_priority(granted: bool, rtprio: int | None) -> Finding:
    """Returns what there is to say of real-time priority.

    Args:
        rtprio: the limit RLIMIT_RTPRIO; None where there is none.
    """
    if granted:
        return Finding("priority", "good", f"the engine gets real-time priority {PRIORITY}")
    if rtprio is None:
        return Finding(
            "priority",
            "note",
            "this system gives no real-time priority to the engine",
            "close what else computes while you play",
        )
    return Finding(
        "priority",
        "note",
        f"the engine gets no real-time priority (the limit rtprio is {rtprio}, and it asks for {PRIORITY}), so other "
        "programs can delay it",
        f"write '@audio - rtprio 95' into {LIMITS_FILE}, add yourself to the group audio, and log in again",
    )


def read_governors(folder: Path = PROCESSORS) -> list[str]:
    """Returns the frequency governor of each processor; none where the system doesn't show them."""
    found = []
    for path in sorted(folder.glob(GOVERNORS)):
        try:
            found.append(path.read_text(encoding="ascii", errors="replace").strip())
        except OSError:
            continue
    return found


def check_governor(governors: Iterable[str]) -> Finding:
    """Returns what there is to say of the processors' frequency governors."""
    kinds = sorted(set(governors))
    if not kinds:
        return Finding("governor", "good", "the processor's clock is not governed by this system, as far as it shows")
    slow = [kind for kind in kinds if kind not in STEADY]
    if not slow:
        return Finding("governor", "good", f"the processor's governor is {', '.join(kinds)}")
    return Finding(
        "governor",
        "note",
        f"the processor's governor is {', '.join(slow)}, which lowers its clock between blocks",
        "sudo cpupower frequency-set --governor performance",
    )


def check_memory(memlock: int | None, needed: int) -> Finding:
    """Returns what there is to say of memory locking.

    Args:
        memlock: the limit RLIMIT_MEMLOCK, bytes; -1 = unlimited, None where there is none.
        needed: bytes that this process holds, the checkpoint loaded.
    """
    if memlock is None:
        return Finding("memory", "good", f"{needed / 1e6:.0f} MB are held; this system has no limit to locking memory")
    if memlock == -1 or memlock >= needed:
        allowed = "all memory" if memlock == -1 else f"{memlock / 1e6:.0f} MB"
        return Finding("memory", "good", f"{allowed} may be locked, and {needed / 1e6:.0f} MB are held")
    return Finding(
        "memory",
        "note",
        f"only {memlock / 1e6:.1f} MB of the {needed / 1e6:.0f} MB that are held may be locked, and the rest may be "
        "swapped out",
        f"write '@audio - memlock unlimited' into {LIMITS_FILE}, add yourself to the group audio, and log in again",
    )


def check_system(held: int) -> list[Finding]:
    """Returns what there is to say of this system.

    Args:
        held: bytes of memory that playing needs.
    """
    is_linux = sys.platform.startswith("linux") and hasattr(os, "sched_setscheduler")
    return [
        check_priority(may_run_in_real_time(), limit("RLIMIT_RTPRIO") if is_linux else None),
        check_governor(read_governors()),
        check_memory(limit("RLIMIT_MEMLOCK"), held),
    ]
