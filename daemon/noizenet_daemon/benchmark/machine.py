"""What machine this is, in words, so that a table says where it was made."""

import os
import platform
from pathlib import Path
from typing import Any


def describe_machine() -> dict[str, Any]:
    """Returns processor, cores, system, and the versions that decide how fast it computes."""
    import numba
    import numpy

    return {
        "processor": processor_name(),
        "cores": os.cpu_count() or 1,
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "numpy": numpy.__version__,
        "numba": numba.__version__,
    }


def processor_name(information: Path = Path("/proc/cpuinfo")) -> str:
    """Returns the processor's own name where the system gives one, else its architecture."""
    try:
        lines = information.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return next(filter(None, names), platform.processor() or platform.machine())
