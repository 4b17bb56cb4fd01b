"""The engines by name, and what each needs. Heavy imports stand inside the function that makes one."""

from typing import TYPE_CHECKING, Literal, get_args

from noizenet.checkpoint import Checkpoint
from noizenet.errors import MissingExtraError, UsageError
from noizenet_daemon.precision import PrecisionChoice

if TYPE_CHECKING:
    from noizenet_daemon.engine_numba import NumbaEngine
    from noizenet_daemon.engine_torch import TorchEngine

EngineName = Literal["numba", "torch", "cuda"]
ENGINES: tuple[EngineName, ...] = get_args(EngineName)
ABOUT_ENGINES = (
    "What computes the network: numba, compiled for this processor; cuda, a GPU, which plays all voices at once; "
    "torch, the reference for tests, slow. The last two need the extra cuda."
)


def check_threads(name: EngineName, threads: int) -> None:
    """Returns if an engine can be played on so many threads; raises UsageError if it can't."""
    if threads > 1 and name != "numba":
        raise UsageError(f"the engine {name} plays all voices at once, on one thread: leave out threads {threads}")


def new_engine(checkpoint: Checkpoint, name: EngineName, precision: PrecisionChoice) -> "NumbaEngine | TorchEngine":
    """Returns what computes a checkpoint's network.

    Args:
        precision: of the weights; see `noizenet_daemon.precision`.

    Raises:
        UsageError: the engine doesn't have that precision, or PyTorch, which it needs, isn't installed.
        DeviceError: there is no GPU that the engine could use.
    """
    if name == "numba":
        from noizenet_daemon.engine_numba import NumbaEngine

        return NumbaEngine(checkpoint, precision)
    if precision not in ("auto", "f32"):
        raise UsageError(f"the engine {name} computes in float32: leave out precision {precision}")
    try:
        from noizenet_daemon.engine_torch import TorchEngine
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"the engine {name} needs the Python package {error.name!r}, which is not installed: "
            "pip install 'noizenet[cuda]'"
        ) from error
    return TorchEngine(checkpoint, "cuda" if name == "cuda" else "cpu")
