"""The daemon's configuration: file, flags, faults and the documentation made from it."""

import argparse
import dataclasses
import re
import subprocess
import sys
from pathlib import Path

import pytest

from noizenet.errors import ConfigurationError, InputFileError
from noizenet_daemon.config import OPTIONS, DaemonConfig, markdown_table
from noizenet_daemon.config_reading import add_flags, from_flags, load_config

ROOT = Path(__file__).parent.parent


def written(folder: Path, text: str) -> Path:
    path = folder / "daemon.toml"
    path.write_text(text, encoding="utf-8")
    return path


def from_command_line(*words: str) -> DaemonConfig:
    parser = argparse.ArgumentParser()
    add_flags(parser)
    return from_flags(parser.parse_args(words))


def test_without_file_and_flags_everything_is_the_default() -> None:
    assert load_config() == DaemonConfig()
    assert from_command_line() == DaemonConfig()


def test_the_file_sets_options_and_parameters(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """
        checkpoint = "~/m.safetensors"
        output = "null"
        block_frames = 512
        latency_ms = 80
        [parameters]
        temperature = 0.9
        mute = true
        noise_kind = "perlin"
        """,
    )
    config = load_config(path)
    assert config.checkpoint == Path.home() / "m.safetensors"
    assert (config.output, config.block_frames, config.latency_ms) == ("null", 512, 80.0)
    assert config.parameters == {"temperature": 0.9, "mute": True, "noise_kind": "perlin"}


def test_flags_win_over_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, "block_frames = 512\nvoices = 3\n[parameters]\nnoise = 0.5\npan = 0.25\n")
    config = from_command_line("--config", str(path), "--block-frames", "128", "--set", "noise=0.1")
    assert (config.block_frames, config.voices) == (128, 3)
    assert config.parameters == {"noise": 0.1, "pan": 0.25}


def test_every_option_has_a_flag_that_sets_it() -> None:
    samples = {
        "engine": "torch",
        "precision": "bf16",
        "live": "off",
        "log_level": "debug",
        "checkpoint": "x.safetensors",
    }
    for name, (about, default) in OPTIONS.items():
        text = samples.get(name, "9000" if isinstance(default, int | float) else "word")
        if about.maximum is not None and about.maximum < 9000:
            text = str(about.maximum)
        flag = [] if name == "checkpoint" else [about.flag or "--" + name.replace("_", "-")]
        value = getattr(from_command_line(*flag, text), name)
        assert str(value) in (text, text + ".0")
        assert type(value) is type(default)


def test_the_words_of_set_are_numbers_switches_and_choices() -> None:
    config = from_command_line("--set", "mute=on", "--set", "noise_mode=off", "--set", "gain_db=-6")
    assert config.parameters == {"mute": True, "noise_mode": "off", "gain_db": -6.0}


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("blok_frames = 1", "there is no option blok_frames (did you mean block_frames?)"),
        ("block_frames = 8", "block_frames is 8, outside 16 to 8192 frames"),
        ("block_frames = 256.0", "block_frames is 256.0, not a whole number"),
        ("block_frames = true", "block_frames is True, not a whole number"),
        ("latency_ms = nan", "latency_ms is nan, not a number"),
        ("latency_ms = 2001", "latency_ms is 2001, outside 5 to 2000 ms"),
        ("sample_rate = 7999", "sample_rate is 7999, outside 0, or 8000 to 384000 Hz"),
        ("seed = -1", "seed is -1, outside 0 to 4294967295"),
        ("for_s = -1", "for_s is -1, outside 0 s and up"),
        ("osc_port = 65536", "osc_port is 65536, outside -1 to 65535"),
        ("output = 3", "output is 3, not a text"),
        ('output = ""', "output is '', not a text"),
        ('output = "file:"', "output is 'file:' without a name: write file:F.wav"),
        ('engine = "numbo"', "engine is 'numbo': choose one of numba, torch, cuda (did you mean numba?)"),
        ("parameters = 3", "parameters is 3, not a table: write [parameters] above its lines"),
        ("[parameters]\nnois = 1", "parameters.nois: there is no parameter nois (did you mean noise?)"),
        ("[parameters]\ngain_db = 40", "parameters.gain_db: 40 is outside -60 to 12 dB"),
        ('[parameters]\nnoise_kind = "brown"', "parameters.noise_kind: noise_kind can't be 'brown'"),
        ("[parameters]\nlatency_ms = 80", "the parameter latency_ms is an option of its own"),
        ("audio_port = 57191", "control_port and audio_port are both 57191: give each a port of its own"),
    ],
)
def test_a_fault_in_the_file_is_named_with_its_remedy(tmp_path: Path, line: str, fault: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(fault)) as caught:
        load_config(written(tmp_path, line))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["--block-frames", "many"], "--block-frames is 'many', not a whole number"),
        (["--voices", "65"], "--voices is 65, outside 1 to 64"),
        (["--for", "inf"], "--for is inf, not a number"),
        (["--engine", "fast"], "--engine is 'fast': choose one of numba, torch, cuda"),
        (["--set", "noise"], "--set noise: write it as name=value, such as --set temperature=0.9"),
        (["--set", "noise=loud"], "--set noise=loud: noise takes a number from 0 to 1, not 'loud'"),
        (["--set", "noise=2"], "--set noise=2: 2.0 is outside 0 to 1"),
        ([""], "the checkpoint is '', not a text"),
    ],
)
def test_a_fault_in_the_flags_is_named_with_its_remedy(words: list[str], fault: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(fault)):
        from_command_line(*words)


def test_every_fault_is_reported_at_once(tmp_path: Path) -> None:
    path = written(tmp_path, "voices = 0\nblok_frames = 1\n[parameters]\nnoise = 7\n")
    with pytest.raises(ConfigurationError) as caught:
        from_command_line("--config", str(path), "--channels", "3", "--set", "pan=9", "--set", "mute")
    lines = str(caught.value).splitlines()
    assert len(lines) == 6
    assert sum(str(path) in line for line in lines) == 3


def test_ports_that_are_off_or_free_may_be_off_or_free_together() -> None:
    flags = {"control_port": "0", "audio_port": "0", "telemetry_port": "-1", "osc_port": "0"}
    assert load_config(flags=flags).audio_port == 0
    assert load_config(flags={"control_port": "-1", "audio_port": "-1"}).audio_port == -1


def test_a_missing_file_is_named_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match=r"can't read .*none\.toml: No such file or directory"):
        load_config(tmp_path / "none.toml")


@pytest.mark.parametrize("text", ["voices = ", "voices = 1\nvoices = 2", "= 3", "\xff\xfe"])
def test_a_file_that_is_not_toml_is_named_in_one_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "daemon.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(InputFileError, match=r"daemon\.toml is not TOML: ") as caught:
        load_config(path)
    assert "\n" not in str(caught.value)


def test_a_configuration_can_not_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        DaemonConfig().voices = 2  # type: ignore[misc]


def test_the_documentation_lists_every_option_as_it_is() -> None:
    assert markdown_table() in (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert all(f"| `{name}` |" in markdown_table() for name in OPTIONS)


def test_the_module_prints_its_table() -> None:
    command = [sys.executable, "-m", "noizenet_daemon.config"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == markdown_table()


def test_the_examples_of_the_documentation_and_of_the_service_load(tmp_path: Path) -> None:
    documentation = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    examples = re.findall(r"```toml\n(.*?)```", documentation, re.DOTALL)
    assert examples
    for example in examples:
        assert load_config(written(tmp_path, example)) != DaemonConfig()
    assert load_config(ROOT / "systemd" / "daemon.toml").record_dir == Path("/var/lib/noizenet")
