"""Rows of the registry for tests, and weights from outside, with files that nobody can load."""

import hashlib

from classifier.models import ModelVersion
from classifier.registry import weight_files
from vision.training import registration as opening


def version(role, name, *, task="detect", classes=(), mapping=None, **fields):
    """Register a version; its classes stand for themselves unless a mapping says otherwise."""
    content = f"{role} {name}".encode()
    return ModelVersion.objects.create(
        role=role,
        name=name,
        task=task,
        sha256=hashlib.sha256(content).hexdigest(),
        classes=list(classes),
        mapping={code: code for code in classes} if mapping is None else mapping,
        serving={"files": [weight_files.keep(content, ".bin")], "threshold": 0.25},
        input_size=64,
        **fields,
    )


def two_materials(_checkpoint, folder, _role, image_size, _go_on):
    """In place of the process that opens weights: whatever the file, it holds a detector of two materials."""
    (folder / opening.GRAPH).write_bytes(b"graph")
    (folder / opening.NUMBERS).write_bytes(b"numbers")
    return opening.Opened("detect", ["Denim", "Teflon"], image_size or 416, "AGPL-3.0")
