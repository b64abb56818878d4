"""Weights from outside become a version of the registry. Their file is opened by another process, see `_open`."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from accounts.services import record
from catalog.models import Attribute
from catalog.selectors import Taxonomy
from classifier.models import ModelVersion
from classifier.permissions import require_superuser
from classifier.registry import class_mapping, weight_files
from core.db import atomic
from core.errors import Invalid
from core.text import require_name_length
from vision.engine.manifest import GARMENT
from vision.training.registration import GRAPH, NUMBERS, RESULT, Job, Opened

logger = logging.getLogger(__name__)

SECONDS = 1200
"""How long opening and exporting may take; half a minute is usual."""
LICENCE_LENGTH = 40
NAME_LENGTH = 100
NOT_ISOLATED = (
    "%s was opened without a network namespace, which this system does not permit: only Python code was kept from the "
    "network"
)
_LOOK_SECONDS = 0.5  # how often the caller is asked whether it shall go on


@dataclass(frozen=True)
class Description:
    """What is known of weights beside what their file says. `use`: fields of `engine.ModelSpec`, such as threshold."""

    use: Mapping[str, Any] = field(default_factory=dict)
    calibrated: bool = False
    metrics: Mapping[str, Any] = field(default_factory=dict)
    data_fingerprint: str = ""
    licence: str = ""
    card: str = ""


def roles() -> list[str]:
    """What a model can be for: finding garments, or one of the attributes."""
    return [GARMENT, *Attribute.objects.filter(active=True).values_list("code", flat=True)]


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _require_role(role: str) -> None:
    known = roles()
    if role not in known:
        params = {"role": role, "known": ", ".join(known)}
        raise Invalid("unknown_role", _("There is no role “%(role)s”; there are: %(known)s."), params)


def register(
    *,
    actor: Actor,
    checkpoint: bytes,
    name: str,
    role: str,
    mapping: Mapping[str, str] | None = None,
    image_size: int | None = None,
    description: Description | None = None,
    go_on: Callable[[], None] = lambda: None,
) -> ModelVersion:
    """Open an ultralytics checkpoint (.pt) once, export it, and add it to the registry; the same one twice is once.

    Args:
        checkpoint: the file's content.
        name: what people call it.
        role: `garment` or the code of an attribute.
        mapping: values (by code or alias) of classes whose own names the taxonomy does not know.
        image_size: side of the input in pixels; by default what it was trained at.
        description: what is known of it beside.
        go_on: called twice a second during the long work; what it raises ends that.

    Raises:
        Forbidden: neither a command nor a superuser.
        Invalid: `name_too_long`, `unknown_role`, `unknown_class`, `unknown_value`, `several_attributes`, or
            `weights_refused` with the reason.
    """
    require_superuser(actor)
    require_name_length(name, NAME_LENGTH)
    _require_role(role)
    given, described = dict(mapping or {}), description or Description()
    source = _sha256(checkpoint)
    sha256 = _sha256(json.dumps([source, sorted(given.items()), image_size, sorted(described.use.items())]).encode())
    if version := ModelVersion.objects.filter(role=role, sha256=sha256).first():
        return version
    taxonomy = Taxonomy.load()
    class_mapping.checked_values(role, given, taxonomy)  # before the long work
    with tempfile.TemporaryDirectory(prefix="otjang-weights-") as folder:
        opened = _open(checkpoint, Path(folder), role, image_size, go_on)
        # Before anything is kept:
        mapped = class_mapping.checked_mapping(role, opened.classes, given, taxonomy)
        class_mapping.require_one_attribute(role, opened.classes, mapped, taxonomy)
        files = [weight_files.keep((Path(folder) / file).read_bytes(), Path(file).suffix) for file in (GRAPH, NUMBERS)]
    fields = {
        "name": name,
        "source_sha256": source,
        "task": opened.task,
        "classes": opened.classes,
        "mapping": class_mapping.known_classes(role, opened.classes, taxonomy) | mapped,
        "serving": {"files": files, **described.use},
        "input_size": opened.input_size,
        "calibrated": described.calibrated,
        "metrics": dict(described.metrics) or opened.metrics,
        "data_fingerprint": described.data_fingerprint,
        "licence": described.licence or opened.licence,
        "card": described.card,
    }
    if not opened.isolated:
        logger.warning(NOT_ISOLATED, name)
    return _add(actor, role, sha256, fields, opened.isolated)


@atomic
def _add(actor: Actor, role: str, sha256: str, fields: Mapping[str, Any], isolated: bool) -> ModelVersion:
    version, created = ModelVersion.objects.get_or_create(role=role, sha256=sha256, defaults=fields)
    if created:
        record(
            actor=actor,
            action="model_version.register",
            subject_type="model_version",
            subject_id=str(version.pk),
            merchant_id=None,
            name=version.name,
            role=role,
            source_sha256=version.source_sha256,
            network_namespace=isolated,
        )
    return version


def _open(checkpoint: bytes, folder: Path, role: str, image_size: int | None, go_on: Callable[[], None]) -> Opened:
    """Let a process that may do nothing else open the checkpoint and export it into `folder`.

    It gets neither this process's environment, with its passwords, nor a network; see `training.registration`.

    Raises:
        Invalid: `weights_refused`.
    """
    source, job = folder / "weights.pt", folder / "job.json"
    source.write_bytes(checkpoint)
    job.write_text(json.dumps(asdict(Job(str(source), str(folder), role, image_size))), encoding="utf-8")
    environment = {name: os.environ[name] for name in ("PATH", "LANG", "LD_LIBRARY_PATH") if name in os.environ}
    environment |= {"HOME": str(folder), "TMPDIR": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    with subprocess.Popen(
        [sys.executable, "-m", "vision.training.registration", str(job)],
        cwd=settings.BASE_DIR,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,  # Ctrl-C is for this process, which then ends that one
    ) as process:
        try:
            errors = _wait(process, go_on)
        finally:
            process.kill()  # nothing, if it has ended
    go_on()
    result = folder / RESULT
    if not result.is_file():
        logger.error("a checkpoint broke the process that opened it:\n%s", errors[-4000:])
        raise _refused(f"it broke the process that opened it (status {process.returncode})")
    opened: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
    if "error" in opened:
        raise _refused(opened["error"])
    return Opened(**opened)


def _wait(process: subprocess.Popen[str], go_on: Callable[[], None]) -> str:
    """What the process says on standard error until it ends. Raises Invalid after SECONDS, and what `go_on` raises."""
    end = time.monotonic() + SECONDS
    while True:
        try:
            return process.communicate(timeout=_LOOK_SECONDS)[1]
        except subprocess.TimeoutExpired as error:
            if time.monotonic() > end:
                raise _refused(f"opening it took longer than {SECONDS} s") from error
            go_on()


def _refused(reason: str) -> Invalid:
    return Invalid("weights_refused", _("The weights were not taken: %(reason)s"), {"reason": reason})
