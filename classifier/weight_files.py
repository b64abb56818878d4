"""Exported weights in the site's storage, named by their content. Nothing serves them to browsers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from classifier.engine import WeightFile

FOLDER = "models"


def keep(content: bytes, suffix: str) -> dict[str, str]:
    """Store a file unless it is there already; returns its entry for `ModelVersion.serving`."""
    sha256 = hashlib.sha256(content).hexdigest()
    path = f"{FOLDER}/{sha256}{suffix}"
    if not default_storage.exists(path):
        written = default_storage.save(path, ContentFile(content))
        if written != path:  # another process was quicker
            default_storage.delete(written)
    return {"path": path, "sha256": sha256}


def stored(entry: Mapping[str, str]) -> WeightFile:
    """The file of such an entry as the engine reads it: verified whenever it is loaded."""
    return WeightFile(Path(entry["path"]), entry["sha256"], _fetch)


def _fetch(path: Path) -> bytes:
    with default_storage.open(path.as_posix()) as file:
        return bytes(file.read())
