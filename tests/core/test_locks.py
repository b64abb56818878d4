"""The locks that are installed are those of requirements*.txt and constraints.txt, and name hashes for everything."""

import re

import pytest
from django.conf import settings

ROOT = settings.BASE_DIR
PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;\\]+)", re.MULTILINE)
TOGETHER = ["requirements", "requirements-production", "requirements-dev"]
LOCKS = [*TOGETHER, "requirements-container", "requirements-tools"]
AGAIN = "run `make lock`"


def _pins(text):
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in PIN.findall(text)}


def _wanted(name):
    """What a set and those that it includes pin."""
    text = (ROOT / f"{name}.txt").read_text()
    included = re.findall(r"^-r (\S+)\.txt$", text, re.MULTILINE)
    return {pin: version for other in included for pin, version in _wanted(other).items()} | _pins(text)


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_has_what_is_wanted(name):
    locked = _pins((ROOT / f"{name}.lock").read_text())
    assert _wanted(name).items() <= locked.items(), AGAIN


@pytest.mark.parametrize("name", TOGETHER)
def test_a_lock_has_the_versions_that_were_tested_together(name):
    locked = _pins((ROOT / f"{name}.lock").read_text())
    constrained = _pins((ROOT / "constraints.txt").read_text())
    assert {pin: version for pin, version in locked.items() if constrained.get(pin, version) != version} == {}, AGAIN


def test_sets_that_are_installed_together_agree():
    pins = [_pins((ROOT / f"{name}.lock").read_text()).items() for name in TOGETHER]
    assert pins[0] <= pins[1] <= pins[2], AGAIN


@pytest.mark.parametrize("name", LOCKS)
def test_everything_is_pinned_with_hashes(name):
    text = (ROOT / f"{name}.lock").read_text()
    entries = [entry for entry in re.split(r"\n(?=\S)", text) if not entry.startswith("#")]
    assert entries
    for entry in entries:
        assert PIN.match(entry), entry
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry


def test_no_lock_brings_cuda():
    text = (ROOT / "requirements-dev.lock").read_text()
    assert set(re.findall(r"^(nvidia-\S+|cuda-\S+|triton)==", text, re.MULTILINE)) == {"nvidia-ml-py"}


def test_the_container_installs_by_hashes():
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    for command in re.findall(r"pip install[^&\n]*", text):
        assert "--require-hashes" in command
    assert "/install /tmp/build/requirements-production\n" in text
    opencv = _pins((ROOT / "requirements-container.txt").read_text())
    assert opencv["opencv-python-headless"] == _pins((ROOT / "constraints.txt").read_text())["opencv-python"]
