"""Exported weights in the site's storage, named by their content. Nothing serves them to browsers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from vision.engine import WeightFile
from vision.engine.precision import INT8, OPENVINO, RUNTIME_FILES

FOLDER = "models"
LISTS = {
    "files": ("files", OPENVINO),
    "mirror_files": ("mirror_files", OPENVINO),
    "int8_files": ("files", RUNTIME_FILES[INT8]),
    "mirror_int8_files": ("mirror_files", RUNTIME_FILES[INT8]),
}
"""Where `ModelVersion.serving` lists files: which field of `engine.ModelSpec` they belong in, and for which runtime."""


def keep(content: bytes, suffix: str) -> dict[str, str]:
    """Store a file unless it is there already; returns its entry for `ModelVersion.serving`."""
    sha256 = hashlib.sha256(content).hexdigest()
    path = f"{FOLDER}/{sha256}{suffix}"
    if default_storage.exists(path) and hashlib.sha256(_fetch(Path(path))).hexdigest() != sha256:
        default_storage.delete(path)  # half a file, of a process that was killed
    if not default_storage.exists(path):
        written = default_storage.save(path, ContentFile(content))
        if written != path:  # another process was quicker
            default_storage.delete(written)
    return {"path": path, "sha256": sha256}


def entries(serving: Mapping[str, Any]) -> Iterator[Mapping[str, str]]:
    """The entries of all files that a version's `serving` lists."""
    for name in LISTS:
        yield from serving.get(name, ())


def is_kept(entry: Mapping[str, str]) -> bool:
    """Whether the file of such an entry is in the storage."""
    return default_storage.exists(entry["path"])


def stored(entry: Mapping[str, str]) -> WeightFile:
    """The file of such an entry as the engine reads it: verified whenever it is loaded."""
    return WeightFile(Path(entry["path"]), entry["sha256"], _fetch)


def _fetch(path: Path) -> bytes:
    with default_storage.open(path.as_posix()) as file:
        return bytes(file.read())
