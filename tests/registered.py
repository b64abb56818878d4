"""Rows of the registry for tests, with files that nobody can load."""

import hashlib

from classifier import weight_files
from classifier.models import ModelVersion


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
