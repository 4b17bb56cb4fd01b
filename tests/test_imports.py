"""Who imports whom: packages import core only, and the command line starts without anything heavy."""

import ast
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from noizenet.cli import GROUP

ROOT = Path(__file__).parent.parent
CORE = "noizenet"
PACKAGES = {
    "noizenet": ROOT / "core",
    "noizenet_training": ROOT / "training",
    "noizenet_daemon": ROOT / "daemon",
    "noizenet_clients": ROOT / "clients",
}
HEAVY = ("torch", "numba", "librosa", "sounddevice", "scipy", "sklearn", "matplotlib", "av")


def imported_packages(path: Path) -> set[str]:
    """Returns the top packages that a module imports anywhere, at its top or inside a function."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_imports_none_of_the_others_but_core(package: str) -> None:
    modules = sorted((PACKAGES[package] / package).rglob("*.py"))
    assert modules
    for module in modules:
        others = imported_packages(module) & PACKAGES.keys() - {package, CORE}
        assert not others, f"{module.relative_to(ROOT)} imports {', '.join(others)}"


def test_the_core_needs_no_torch() -> None:
    for module in sorted((PACKAGES[CORE] / CORE).rglob("*.py")):
        assert "torch" not in imported_packages(module), module


def test_the_command_line_is_built_without_anything_heavy() -> None:
    program = (
        f"import sys, noizenet.cli\nnoizenet.cli.build_parser()\nprint(*sorted(set({HEAVY!r}) & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_every_subcommand_is_installed() -> None:
    names = {entry.name for entry in entry_points(group=GROUP)}
    assert {"train", "evaluate", "plot", "render", "daemon", "inspect", "ctl", "listen"} <= names
