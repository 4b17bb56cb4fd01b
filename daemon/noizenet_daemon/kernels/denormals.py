"""Denormals, numbers below 1.2e-38, cost many processors some hundred cycles each: a state that dies away would be the
dearest to play. While a block is made they are zero.

What is switched belongs to the thread, and Python's own arithmetic would feel it: each kernel that makes a block
switches it on first, and back last.

Source: Intel 64 and IA-32 Architectures Software Developer's Manual, vol. 1, 10.2.3 (MXCSR: FTZ bit 15, DAZ bit 6);
Arm Architecture Reference Manual for A-profile, FPCR (FZ bit 24).
"""

import platform
from typing import Any

from llvmlite import binding, ir
from numba import types
from numba.core.cgutils import alloca_once, get_or_insert_function

from noizenet.vectors import emitting

_X86 = platform.machine().lower() in ("x86_64", "amd64")
_ARM = platform.machine().lower() in ("arm64", "aarch64")
_X86_FLUSH = 1 << 15 | 1 << 6
_ARM_FLUSH = 1 << 24
if _ARM:
    binding.initialize_native_asmparser()  # LLVM's own intrinsic that writes FPCR is refused by its selection
_WORD, _LONG = ir.IntType(32), ir.IntType(64)


@emitting
def flush_denormals(typing: Any) -> Any:  # noqa: ARG001
    """Lets denormals be zero from here on, in this thread; returns what `restore_denormals` takes, int64.

    On a processor that is neither x86-64 nor arm64 nothing changes.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
        before = _control_word(builder)
        flush = _X86_FLUSH if _X86 else _ARM_FLUSH
        _set_control_word(builder, builder.or_(before, _LONG(flush)))
        return before

    return types.int64(), generate


@emitting
def restore_denormals(typing: Any, before: Any) -> Any:  # noqa: ARG001
    """Lets denormals be what they were when `flush_denormals` was called."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
        _set_control_word(builder, arguments[0])
        return context.get_dummy_value()

    return types.void(types.int64), generate


def _control_word(builder: Any) -> Any:
    """Returns the processor's floating-point control word, 64 bits."""
    if _X86:
        place = alloca_once(builder, _WORD)
        builder.call(_x86_function(builder, "stmxcsr"), [builder.bitcast(place, ir.IntType(8).as_pointer())])
        return builder.zext(builder.load(place), _LONG)
    if _ARM:
        return builder.asm(ir.FunctionType(_LONG, []), "mrs $0, fpcr", "=r", [], side_effect=True)
    return _LONG(0)


def _set_control_word(builder: Any, word: Any) -> None:
    if _X86:
        place = alloca_once(builder, _WORD)
        builder.store(builder.trunc(word, _WORD), place)
        builder.call(_x86_function(builder, "ldmxcsr"), [builder.bitcast(place, ir.IntType(8).as_pointer())])
    elif _ARM:
        kind = ir.FunctionType(ir.VoidType(), [_LONG])
        builder.asm(kind, "msr fpcr, $0", "r", [word], side_effect=True)


def _x86_function(builder: Any, name: str) -> Any:
    kind = ir.FunctionType(ir.VoidType(), [ir.IntType(8).as_pointer()])
    return get_or_insert_function(builder.module, kind, f"llvm.x86.sse.{name}")
