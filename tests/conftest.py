"""Fixtures that several tests share; what lets tests run in several processes; and the rule that continuous
integration skips nothing but GPU tests.
"""

import fcntl
import os
from collections.abc import Callable, Generator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from numba.core.caching import IndexDataCacheFile

from making import tokens_checkpoint
from noizenet.cli import main


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """Compiles what plays, before there are two processes that would both compile it.

    Just compiled, it doesn't round quite as it does read from numba's cache (3e-8 apart): what a first start plays
    can't be compared with what a second one plays.
    """
    with TemporaryDirectory() as folder, redirect_stdout(None), redirect_stderr(None):
        checkpoint, sound = Path(folder) / "m.safetensors", Path(folder) / "a.wav"
        tokens_checkpoint().save(checkpoint)
        assert main(["render", str(checkpoint), "--out", str(sound), "--seconds", "0.1", "--set", "noise=0.1"]) == 0


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Lets `dealing_out` say which process runs what."""
    from dealing_out import ByFile

    return ByFile(config, log)


def one_at_a_time(save: Callable[..., None]) -> Callable[..., None]:
    """Lets one process at a time save a kernel: two that read numba's index, and then write it, may mix them up."""

    def locked(self: IndexDataCacheFile, *arguments: Any) -> None:
        with Path(__file__).open() as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            save(self, *arguments)

    return locked


IndexDataCacheFile.save = one_at_a_time(IndexDataCacheFile.save)


@pytest.fixture(scope="session")
def checkpoint_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small tokens checkpoint on disk. Don't change it."""
    path = tmp_path_factory.mktemp("checkpoint") / "small.safetensors"
    tokens_checkpoint().save(path)
    return path


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turns a skip into a failure where `CI` is set: what isn't installed there would never be tested."""
    report = yield
    skipped = report.skipped and not hasattr(report, "wasxfail")
    if os.environ.get("CI") and skipped and not item.get_closest_marker("gpu"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"skipped, but in CI everything that needs no GPU must run: {reason}"
    return report
