"""docs/control.md says what the vocabulary says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from noizenet.addresses import parse_address
from noizenet.control_reference import END, markdown, renew
from noizenet.protocol import AUDIO_PORT, COMMANDS, CONTROL_PORT, OSC_PORT, PARAMETERS, TELEMETRY_PORT

CONTROL = Path(__file__).parent.parent / "docs" / "control.md"


def test_the_document_is_up_to_date() -> None:
    text = CONTROL.read_text(encoding="utf-8")
    assert renew(text) == text, "run: python -m noizenet.control_reference docs/control.md"


def test_every_parameter_command_and_port_is_in_the_document() -> None:
    text = CONTROL.read_text(encoding="utf-8")
    for name in (*PARAMETERS, *COMMANDS):
        assert f"| `{name}` |" in text
    for port in (OSC_PORT, CONTROL_PORT, AUDIO_PORT, TELEMETRY_PORT):
        assert f"| {port} |" in text


def test_every_address_in_the_examples_exists() -> None:
    blocks = re.findall(r"```sh\n(.*?)```", CONTROL.read_text(encoding="utf-8"), re.DOTALL)
    words = re.findall(r"(?:ctl |57190 '?|\"address\": \")([\w/*.]+)", "".join(blocks))
    assert len(words) > 15
    for word in words:
        parse_address(word if word.startswith("/") else f"/noizenet/{word}")


def test_the_tables_are_printed() -> None:
    command = [sys.executable, "-m", "noizenet.control_reference"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    assert printed == markdown()


def test_a_document_without_its_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="no two lines"):
        renew(f"text\n{END}")
