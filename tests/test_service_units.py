"""The systemd units, looked at by systemd's own tools."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

SYSTEMD = Path(__file__).parent.parent / "systemd"
SYSTEM_UNIT = SYSTEMD / "noizenet.service"
USER_UNIT = SYSTEMD / "noizenet-user.service"

pytestmark = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")


def analyze(runtime: Path, *arguments: str) -> str:
    """Returns what systemd-analyze says; it must succeed."""
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(runtime), "SYSTEMD_COLORS": "0"}
    done = subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def settings(unit: Path) -> dict[str, list[str]]:
    """Returns every value of every setting of a unit."""
    values: dict[str, list[str]] = {}
    for name, value in re.findall(r"^(\w+)=(.*)$", unit.read_text(encoding="utf-8"), re.MULTILINE):
        values.setdefault(name, []).append(value)
    return values


def test_systemd_has_nothing_to_say_against_the_system_unit(tmp_path: Path) -> None:
    assert analyze(tmp_path, "verify", str(SYSTEM_UNIT)) == ""


def test_systemd_has_nothing_to_say_against_the_user_unit(tmp_path: Path) -> None:
    assert analyze(tmp_path, "--user", "verify", str(USER_UNIT)) == ""


def test_the_system_unit_is_little_exposed(tmp_path: Path) -> None:
    report = analyze(tmp_path, "security", "--offline=true", str(SYSTEM_UNIT))
    exposure = re.search(r"Overall exposure level .*: ([\d.]+)", report)
    assert exposure is not None, report
    assert float(exposure[1]) < 3.0


@pytest.mark.parametrize("unit", [SYSTEM_UNIT, USER_UNIT])
def test_no_hardening_stops_compiled_code_or_the_sound_card(unit: Path) -> None:
    forbidden = {"MemoryDenyWriteExecute", "PrivateDevices", "RestrictRealtime", "PrivateNetwork"}
    assert not forbidden & settings(unit).keys()


def test_the_system_unit_may_use_the_sound_card_in_real_time_on_loopback_only() -> None:
    unit = settings(SYSTEM_UNIT)
    assert unit["DeviceAllow"] == ["char-alsa rw"]
    assert unit["SupplementaryGroups"] == ["audio"]
    assert unit["LimitRTPRIO"] == ["95"]
    assert unit["LimitMEMLOCK"] == ["256M"]
    assert (unit["IPAddressDeny"], unit["IPAddressAllow"]) == (["any"], ["localhost"])


@pytest.mark.parametrize("unit", [SYSTEM_UNIT, USER_UNIT])
def test_a_hanging_daemon_is_started_again(unit: Path) -> None:
    assert settings(unit)["Type"] == ["notify"]
    assert settings(unit)["WatchdogSec"] == ["30"]
    assert settings(unit)["RestartPreventExitStatus"] == ["2"]
