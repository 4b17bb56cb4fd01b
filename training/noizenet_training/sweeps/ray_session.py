"""Ray, started on this machine for as long as it is needed, or a cluster that is there already."""

import logging
import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from noizenet.errors import DeviceError, MissingExtraError

OBJECT_STORE_BYTES = 100 << 20  # rows and settings are small
REACHABLE_S = 5.0
LONGEST_SOCKET_FOLDER = 40  # letters; Ray adds some sixty of its own, and a socket's path may have 107

# Read by Ray when it is imported. Its name says little: with it, all of Ray's servers listen on the loopback interface,
# as they do on macOS and Windows; else on every interface, although the address is given below.
LOCAL_ENVIRONMENT = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
LOOPBACK = ("127.", "localhost:")
QUIET_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
}


@contextmanager
def ray_session(address: str) -> Iterator[None]:
    """Connects to a cluster, or starts Ray on this machine, reachable from nowhere else, and stops it.

    Raises:
        MissingExtraError, DeviceError: see `run_trials`.
    """
    _check_reachable(address)
    os.environ.update(QUIET_ENVIRONMENT)
    if not address or address.startswith(LOOPBACK):  # a cluster that listens there is only found from there
        os.environ.update(LOCAL_ENVIRONMENT)
    try:
        import ray
        import ray.tune
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"this command needs the Python package {error.name!r}, which is not installed: "
            "pip install 'noizenet[sweeps]'"
        ) from None
    for name in ("ray", "ray.tune"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.CRITICAL}
    with tempfile.TemporaryDirectory(prefix="nz-", dir=_short_folder(), ignore_cleanup_errors=True) as temporary:
        local: dict[str, Any] = {
            "num_cpus": _usable_cores(),
            "include_dashboard": False,
            "object_store_memory": OBJECT_STORE_BYTES,
            "_node_ip_address": "127.0.0.1",
            "_temp_dir": temporary,
        }
        try:
            ray.init(address=address or "local", **quiet, **({} if address else local))
        except (ConnectionError, RuntimeError, ValueError, TimeoutError) as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            if not address:
                raise DeviceError(f"Ray doesn't start on this machine: {reason}") from None
            raise DeviceError(
                f"can't join the Ray cluster at {address}: {reason}; if it asks for a token, set RAY_AUTH_MODE=token "
                "in the environment, and the token in ~/.ray/auth_token or RAY_AUTH_TOKEN"
            ) from None
        try:
            yield
        finally:
            ray.shutdown()


def _check_reachable(address: str) -> None:
    """Returns if something answers at an address of the kind host:port; Ray itself would try for minutes.

    Raises:
        DeviceError: nothing does.
    """
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdecimal():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), REACHABLE_S).close()
    except (OSError, OverflowError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise DeviceError(f"there is no Ray cluster at {address}: {reason}; see where `ray start` says it is") from None


def _short_folder() -> str:
    """Returns a folder for temporary files whose path leaves room for the names of Ray's sockets."""
    usual = tempfile.gettempdir()
    return usual if len(usual) <= LONGEST_SOCKET_FOLDER else "/tmp"


def _usable_cores() -> int:
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
