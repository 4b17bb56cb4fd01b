"""Fixtures that several tests share; what lets tests run in several processes; and the rule that continuous
integration skips nothing but GPU tests.
"""

import fcntl
import os
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from numba.core.caching import IndexDataCacheFile

from making import tokens_checkpoint


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
