"""How much memory this process takes."""

import resource
import sys
from pathlib import Path


def resident_bytes() -> int:
    """Returns the bytes of memory that this process holds now; where the system doesn't say, the most it ever held."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])  # proc(5): size, resident, ... in pages
        return pages * resource.getpagesize()
    except (OSError, ValueError, IndexError):
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else 1024 * most  # getrusage(2): bytes on macOS, KiB elsewhere
