"""Where a run or an evaluation was made, so that it can be made again."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from vision.training.run import RunError

PACKAGES = ("torch", "torchvision", "ultralytics", "openvino", "numpy", "pillow")
PROJECT = Path(__file__).resolve().parents[2]


def describe_environment() -> dict[str, Any]:
    """Versions, processor and, where there is a repository, the commit and whether files differed from it."""
    changed = _git("status", "--porcelain", "--untracked-files=no")
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "packages": {name: _version(name) for name in PACKAGES},
        "commit": _git("rev-parse", "HEAD"),
        "changed_files": None if changed is None else bool(changed),
    }


def choose_device(name: str | None) -> str:
    """Where to train: the device of this name, by default CUDA's where torch sees one, else the processor.

    Raises RunError if there is no such device here.
    """
    import torch

    graphics = ["cuda", *(f"cuda:{index}" for index in range(torch.cuda.device_count()))]
    devices = ["cpu", *(graphics if torch.cuda.is_available() else [])]
    if name is None:
        return "cuda" if "cuda" in devices else "cpu"
    if name not in devices:
        raise RunError(f"There is no device {name!r} here; there are {', '.join(devices)}.")
    return name


def processor() -> str:
    """The processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _git(*arguments: str) -> str | None:
    """What git says about the project's folder; None without git or a repository."""
    try:
        done = subprocess.run(
            ["git", "-C", str(PROJECT), *arguments], capture_output=True, text=True, check=True, timeout=20
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
