"""What is compiled, is compiled once; and what can't be called from Python isn't."""

import ast
from pathlib import Path

from noizenet.compiling import njit

ROOT = Path(__file__).parent.parent
DECORATORS = ("njit", "kernel", "inlined", "counting", "overload")


@njit(cache=False)  # what is read from disk has no parts to count
def _twice(x: int) -> int:
    return 2 * x


@njit(cache=False)
def four_and_twice(x: int) -> int:
    return _twice(2) + _twice(x)


def test_plain_numbers_are_compiled_for_as_all_others_of_their_kind() -> None:
    assert four_and_twice(5) == 14
    compiled: object = _twice
    assert len(compiled.signatures) == 1  # type: ignore[attr-defined]


def is_compiled(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef) and any(
        ast.unparse(decorator).startswith(DECORATORS) for decorator in node.decorator_list
    )


def names_called_from_python(node: ast.AST) -> set[str]:
    """Returns the plain names that are called outside of compiled functions."""
    found = set()
    for child in ast.iter_child_nodes(node):
        if not is_compiled(child):
            if isinstance(child, ast.Call) and isinstance(child.func, ast.Name):
                found.add(child.func.id)
            found |= names_called_from_python(child)
    return found


def test_nobody_calls_from_python_what_only_kernels_can_call() -> None:
    """It would crash: see `noizenet.compiling`. Such functions are private to their module, and to no other."""
    for path in ROOT.glob("*/**/*.py"):
        if ".venv" in path.parts:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        inner = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and is_compiled(node)}
        if "from noizenet.compiling import" in path.read_text(encoding="utf-8"):
            private = {name for name in inner if name.startswith("_")}
            assert not private & names_called_from_python(tree), path
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.ImportFrom)
                and (node.module or "").startswith("noizenet")
                and path.parts[-2] == "tests"
            ):
                assert not any(name.name.startswith("_") for name in node.names), path
