"""Peers step the same network: what they put out is what the kernels do. And what can't take part says why."""

import importlib.util
import shlex
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from noizenet.checkpoint import Checkpoint
from noizenet.errors import UsageError
from noizenet_daemon.benchmark.fresh import lstm_of
from noizenet_daemon.benchmark.peers import onnx_runtime as onnx_module
from noizenet_daemon.benchmark.peers import pytorch
from noizenet_daemon.benchmark.peers.onnx_runtime import onnx_runtime
from noizenet_daemon.benchmark.peers.peer import Peer, PeerUnavailableError
from noizenet_daemon.benchmark.peers.plain import plain_loops
from noizenet_daemon.benchmark.peers.program import Program, program_from_text
from noizenet_daemon.benchmark.peers.pytorch import compiled, eager
from noizenet_daemon.benchmark.sizes import PEERS, kernel_peer

HAS_ONNX = all(importlib.util.find_spec(name) for name in ("onnx", "onnxruntime"))  # not of the extra dev
MAKERS: list[Callable[[Checkpoint], Peer]] = [plain_loops, eager, compiled, *([onnx_runtime] if HAS_ONNX else [])]


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_a_peer_puts_out_what_the_kernels_do_and_goes_on_where_it_ended(make: Callable[[Checkpoint], Peer]) -> None:
    checkpoint = lstm_of(17)
    expected = kernel_peer(checkpoint, "f32")(64)
    run = make(checkpoint)
    found = np.concatenate([run(1), run(30), run(33)])
    assert found == pytest.approx(expected, abs=1e-6)
    assert np.ptp(expected) > 1e-3


def test_without_pytorch_both_ways_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    for make in (eager, compiled):
        with pytest.raises(PeerUnavailableError, match=r"^PyTorch is not installed: pip install"):
            make(lstm_of(4))


@pytest.mark.parametrize("name", ["onnx", "onnxruntime"])
def test_without_onnx_runtime_it_says_what_to_install(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("onnx", "onnxruntime"):
        monkeypatch.setitem(sys.modules, module, None if module == name else onnx_module)
    with pytest.raises(PeerUnavailableError, match=rf"^{name} is not installed: pip install 'noizenet\[peers\]'$"):
        onnx_runtime(lstm_of(4))


def test_a_compiler_that_is_missing_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(step: object) -> Callable[..., Any]:  # noqa: ARG001
        def run(*arguments: object) -> Any:  # noqa: ARG001
            raise RuntimeError("InvalidCxxCompiler: No working C++ compiler found\nwith much\nbelow it")

        return run

    monkeypatch.setattr(torch, "compile", fails)
    with pytest.raises(PeerUnavailableError) as caught:
        pytorch.compiled(lstm_of(4))
    assert "No working C++ compiler found" in str(caught.value)
    assert "install g++" in str(caught.value)
    assert "\n" not in str(caught.value)


def printing(program: str) -> Program:
    """Returns a peer that runs a Python program; `{hidden}` in it is the size."""
    return program_from_text(f"other=  {shlex.join([sys.executable, '-c', program])}")


def test_the_last_number_that_a_program_prints_is_its_steps_per_second() -> None:
    assert printing("print('LSTM', {hidden}); print('48 units: 1.25e3 steps/s.')").steps_per_second(48) == 1250.0
    assert printing("print('1'); print({hidden} * 10)").steps_per_second(7) == 70.0
    assert printing("import sys; print(3.5); print(9, file=sys.stderr)").steps_per_second(1) == 3.5


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("pass", "printed no number"),
        ("print('none at all')", "printed no number"),
        ("print(0)", "printed 0, not steps per second above 0"),
        ("print(-5)", "printed -5, not"),
        ("print('1e999')", "printed 1e999, not"),
        ("import sys; print(5); sys.exit('no model of {hidden}')", r"status 1 \(no model of 48\)"),
    ],
)
def test_a_program_that_is_of_no_use_is_described_in_one_sentence(program: str, words: str) -> None:
    with pytest.raises(PeerUnavailableError, match=words) as caught:
        printing(program).steps_per_second(48)
    assert str(caught.value).startswith("other: ")
    assert "\n" not in str(caught.value)


def test_a_program_that_takes_for_ever_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("noizenet_daemon.benchmark.peers.program.PATIENCE_S", 0.2)
    with pytest.raises(PeerUnavailableError, match=r"more than 0\.2 s: let it make fewer steps"):
        printing("import time; time.sleep(60)").steps_per_second(48)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("RTNeural", "not of the form"),
        ("=true", "not of the form"),
        ("name=", "not of the form"),
        ("name='true", "quotes don't close"),
        ("name=no-such-program-anywhere {hidden}", "no-such-program-anywhere doesn't exist"),
        ("name=/dev/null", "/dev/null can't be run"),
    ],
)
def test_a_flag_that_names_no_program_is_refused(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        program_from_text(text)


def test_peers_have_names_of_their_own() -> None:
    assert len({*PEERS, "f32", "bf16", "int8"}) == len(PEERS) + 3
