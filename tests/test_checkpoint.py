"""Checkpoint format 1: what is saved is loaded, and everything else is refused in one sentence."""

import dataclasses
import functools
import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from making import amplitude_checkpoint, mulaw_checkpoint, stereo_checkpoint, tiered_checkpoint, tokens_checkpoint
from noizenet.checkpoint import METADATA_KEY, Checkpoint
from noizenet.errors import CheckpointError, InputFileError

MAKERS = {
    "tokens": tokens_checkpoint,
    "stereo": stereo_checkpoint,
    "mulaw": mulaw_checkpoint,
    "amplitude": amplitude_checkpoint,
    "tiers": tiered_checkpoint,
}


def rewritten(path: Path, change: Callable[[dict[str, Any], dict[str, Any]], None]) -> Path:
    """Applies a change to the tensors and the header of a checkpoint's file."""
    tensors = load_file(path)
    data = path.read_bytes()
    header_size = int.from_bytes(data[:8], "little")
    header = json.loads(json.loads(data[8 : 8 + header_size])["__metadata__"][METADATA_KEY])
    change(tensors, header)
    save_file(tensors, path, {METADATA_KEY: json.dumps(header)})
    return path


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "model.safetensors"
    tokens_checkpoint().save(path)
    return path


def refusal(path: Path) -> str:
    """Returns the sentence with which a file is refused."""
    with pytest.raises(CheckpointError) as caught:
        Checkpoint.load(path)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    return message


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("codec", MAKERS)
def test_what_is_saved_is_loaded(tmp_path: Path, codec: str, cell: Any) -> None:
    checkpoint = MAKERS[codec](cell=cell, layers=2)
    checkpoint.save(tmp_path / "a.safetensors")
    loaded = Checkpoint.load(tmp_path / "a.safetensors")
    assert loaded.network == checkpoint.network
    assert loaded.codec.options() == checkpoint.codec.options()
    assert (loaded.corpus, loaded.training) == (checkpoint.corpus, checkpoint.training)
    assert (loaded.licence, loaded.attribution) == (checkpoint.licence, checkpoint.attribution)
    assert (loaded.name, len(loaded.fingerprint)) == ("a", 64)
    for name, array in checkpoint.weights.items():
        np.testing.assert_array_equal(loaded.weights[name], array)
    for name, array in checkpoint.codec.arrays().items():
        np.testing.assert_array_equal(loaded.codec.arrays()[name], array)
    for name, state in checkpoint.states.items():
        for part, array in state.items():
            np.testing.assert_array_equal(loaded.states[name][part], array)
            assert loaded.states[name][part].dtype == array.dtype


def test_the_same_checkpoint_has_the_same_fingerprint(tmp_path: Path) -> None:
    for name in ("a.safetensors", "b.safetensors"):
        tokens_checkpoint().save(tmp_path / name)
    first, second = (Checkpoint.load(tmp_path / name).fingerprint for name in ("a.safetensors", "b.safetensors"))
    assert first == second
    tokens_checkpoint(seed=1).save(tmp_path / "c.safetensors")
    assert Checkpoint.load(tmp_path / "c.safetensors").fingerprint != first


def test_half_precision_halves_the_file_and_keeps_three_digits(tmp_path: Path) -> None:
    checkpoint = tokens_checkpoint(hidden=64)
    checkpoint.save(tmp_path / "full.safetensors")
    checkpoint.save(tmp_path / "half.safetensors", half=True)
    full, half = ((tmp_path / name).stat().st_size for name in ("full.safetensors", "half.safetensors"))
    assert half < 0.55 * full
    loaded = Checkpoint.load(tmp_path / "half.safetensors")
    for name, array in checkpoint.weights.items():
        assert loaded.weights[name].dtype == np.float32
        np.testing.assert_allclose(loaded.weights[name], array, rtol=1e-3, atol=1e-6)
    np.testing.assert_array_equal(loaded.states["1"]["last"], checkpoint.states["1"]["last"])


def test_a_number_too_large_for_half_precision_is_not_written_as_infinity(tmp_path: Path) -> None:
    checkpoint = tokens_checkpoint()
    checkpoint.weights["rnn.bias_ih_l0"][0] = 1e6
    with pytest.raises(CheckpointError, match="bias_ih_l0"):
        checkpoint.save(tmp_path / "a.safetensors", half=True)
    assert not list(tmp_path.iterdir())


def test_weights_that_are_not_finite_are_not_saved(tmp_path: Path) -> None:
    checkpoint = tokens_checkpoint()
    checkpoint.weights["rnn.bias_ih_l0"][0] = np.nan
    with pytest.raises(CheckpointError, match=r"was not written: its tensor network\.rnn\.bias_ih_l0 holds NaN"):
        checkpoint.save(tmp_path / "a.safetensors")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match=r"can't write .*none/a\.safetensors: No such file or directory"):
        tokens_checkpoint().save(tmp_path / "none" / "a.safetensors")


def test_a_failed_save_leaves_the_old_file_and_nothing_else(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = saved.read_bytes()

    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full_disk)
    with pytest.raises(InputFileError, match="No space left on device"):
        tokens_checkpoint(seed=5).save(saved)
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert "No such file or directory" in refusal(tmp_path / "none.safetensors")


def test_a_folder_is_no_checkpoint(tmp_path: Path) -> None:
    assert "Is a directory" in refusal(tmp_path)


@pytest.mark.parametrize("kept", [0, 7, 8, 100, 0.5, -1])
def test_a_file_that_is_cut_short_is_refused(saved: Path, kept: float) -> None:
    data = saved.read_bytes()
    size = int(kept * len(data)) if isinstance(kept, float) else kept
    saved.write_bytes(data[:size])
    assert "it is cut short or damaged" in refusal(saved)


def test_a_pickle_at_the_end_is_refused(saved: Path) -> None:
    saved.write_bytes(saved.read_bytes() + pickle.dumps({"extra": 1}))
    assert "it is cut short or damaged" in refusal(saved)


class Trap:
    """Creates a file when it is unpickled."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (open, (self.path, "w"))


def test_a_pickle_with_our_name_is_refused_and_not_run(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(pickle.dumps(Trap(str(tmp_path / "sprung"))))
    assert "it is a pickle" in refusal(path)
    assert not (tmp_path / "sprung").exists()


def test_a_renamed_pytorch_file_is_refused(tmp_path: Path) -> None:
    import torch

    path = tmp_path / "model.safetensors"
    torch.save({"weight": torch.zeros(3)}, path)
    assert "it is a pickle (a PyTorch file)" in refusal(path)


@pytest.mark.parametrize("data", [b"hello\n", b"RIFF" + bytes(100), bytes(1000), b"\xff" * 64])
def test_any_other_file_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(data)
    refusal(path)


def test_a_safetensors_file_of_another_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_file({"weight": np.zeros(3, np.float32)}, path)
    assert "it has no NoizeNet header: another program wrote it" in refusal(path)


def _set(header: dict[str, Any], *path: str, value: object) -> None:
    for name in path[:-1]:
        header = header[name]
    header[path[-1]] = value


@pytest.mark.parametrize(
    ("path", "value", "fault"),
    [
        (("format",), 2, "it is of format 2; this version reads format 1"),
        (("format",), None, "it is of format None"),
        (("codec",), None, "its header describes no codec"),
        (("codec", "name"), "magic", "its codec 'magic' is not known here"),
        (("codec", "name"), ["tokens"], "its codec ['tokens'] is not known here"),
        (("codec", "options"), [], "its header describes no codec"),
        (("codec", "options", "window"), 255, "its codec's window 255"),
        (("channels",), 2, "its header says 2 channels, its codec 1"),
        (("channels",), None, "its header says None channels, its codec 1"),
        (("codec", "options", "hop"), 0, "its codec's hop is 0"),
        (("codec", "options", "sample_rate"), "fast", "its codec's sample_rate is 'fast'"),
        (("codec", "options", "floor"), -1.0, "its codec's floor is -1.0"),
        (("network",), None, "its header describes no network"),
        (("network", "cell"), "cnn", "unknown cell or head 'cnn'"),
        (("network", "cell"), ["lstm"], "unknown cell or head ['lstm']"),
        (("network", "layers"), 0, "its network's layers is 0"),
        (("network", "layers"), True, "its network's layers is True"),
        (("network", "hidden"), 10**12, "its network's hidden is 1000000000000"),
        (("network", "hidden"), 17, "its network's rnn.weight_ih_l0 has the shape"),
        (("network", "depth"), 3, "its network is described by other values than format 1 has"),
        (("network", "stages"), 1, "its network "),
        (("network", "classes"), 9, "its network"),
    ],
)
def test_a_wrong_header_is_refused(saved: Path, path: tuple[str, ...], value: object, fault: str) -> None:
    rewritten(saved, lambda _, header: _set(header, *path, value=value))
    assert fault in refusal(saved)


def test_a_header_that_is_no_object_is_refused(saved: Path) -> None:
    tensors = load_file(saved)
    for header in ("[]", "3", "null", "{", '"text"'):
        save_file(tensors, saved, {METADATA_KEY: header})
        refusal(saved)


def test_missing_and_extra_tensors_are_refused(saved: Path) -> None:
    rewritten(saved, lambda tensors, _: tensors.update({"network.extra": np.zeros(3, np.float32)}))
    assert "its network has the unknown extra" in refusal(saved)
    rewritten(saved, lambda tensors, _: tensors.update({"other": tensors.pop("network.extra")}))
    assert "it holds 'other', which is no part of a checkpoint" in refusal(saved)
    rewritten(saved, lambda tensors, _: tensors.pop("other"))
    rewritten(saved, lambda tensors, _: tensors.pop("network.embedding"))
    assert "its network lacks embedding" in refusal(saved)


def test_misshapen_tensors_are_refused(saved: Path) -> None:
    rewritten(saved, lambda t, _: t.update({"network.embedding": t["network.embedding"][:, :, :-1].copy()}))
    assert "its network's embedding has the shape (2, 8, 5), not (2, 8, 6)" in refusal(saved)


@pytest.mark.parametrize("group", ["network.embedding", "codec.codebooks", "state.1.hidden"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_refused(saved: Path, group: str, value: float) -> None:
    def poison(tensors: dict[str, Any], _: dict[str, Any]) -> None:
        tensors[group].flat[1] = value

    rewritten(saved, poison)
    assert f"its tensor {group} holds NaN or infinity" in refusal(saved)


def test_codes_that_do_not_exist_are_refused(saved: Path) -> None:
    rewritten(saved, lambda tensors, _: tensors["state.2.last"].fill(8))
    assert "its state 2 holds codes that don't exist" in refusal(saved)


def test_tiers_that_do_not_fit_together_are_refused(tmp_path: Path) -> None:
    for name, value, fault in [
        ("frame", 0, "its network's frame is 0, not a whole number"),
        ("frame", 5, "its network's rnn.weight_ih_l0 has the shape (64, 20), not (64, 25)"),
        ("reach", 10**9, "its network's reach is 1000000000"),
        ("conditioning", "many", "its network's conditioning is 'many'"),
        ("cell", "conv", "two tiers, which take one code a step and a recurrent cell"),
        ("stages", 2, "two tiers, which take one code a step and a recurrent cell, not 2 codes"),
    ]:
        path = tmp_path / "m.safetensors"
        tiered_checkpoint().save(path)
        assert Checkpoint.load(path).network == tiered_checkpoint().network
        changed = functools.partial(_set_in, name=name, value=value)
        assert fault in refusal(rewritten(path, changed))
    tiered_checkpoint().save(path)
    rewritten(path, lambda tensors, _: tensors["state.1.recent"].fill(256))
    assert "its state 1 holds codes that don't exist" in refusal(path)


def test_a_header_from_before_there_were_tiers_is_read(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    mulaw_checkpoint().save(path)

    def forget(_: dict[str, Any], header: dict[str, Any]) -> None:
        for name in ("frame", "reach", "conditioning"):
            del header["network"][name]
        assert set(header["codec"]["options"]) == {"sample_rate", "peak"}

    loaded = Checkpoint.load(rewritten(path, forget))
    assert (loaded.network, loaded.codec) == (mulaw_checkpoint().network, mulaw_checkpoint().codec)


def _set_in(_: dict[str, Any], header: dict[str, Any], name: str, value: object) -> None:
    header["network"][name] = value


def test_numbers_of_an_unknown_kind_are_refused(saved: Path) -> None:
    rewritten(saved, lambda t, _: t.update({"network.embedding": t["network.embedding"].astype(np.float64)}))
    assert "its tensor network.embedding holds float64" in refusal(saved)


def test_a_codec_array_of_whole_numbers_is_no_weight(saved: Path) -> None:
    rewritten(saved, lambda t, _: t.update({"network.embedding": t["network.embedding"].astype(np.int32)}))
    refusal(saved)


def test_states_of_fractions_are_no_codes(saved: Path) -> None:
    rewritten(saved, lambda t, _: t.update({"state.1.last": t["state.1.last"].astype(np.float32)}))
    refusal(saved)


def test_a_checkpoint_can_not_be_reassigned() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        tokens_checkpoint().name = "other"  # type: ignore[misc]
