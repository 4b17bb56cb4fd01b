"""Fixtures that several tests share, and the rule that continuous integration skips nothing but GPU tests."""

import os
from collections.abc import Generator
from pathlib import Path

import pytest

from making import tokens_checkpoint


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
