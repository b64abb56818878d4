"""The shipped weights as rows: model versions, the set of them, and which set is active."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import F
from django.utils import timezone

from accounts.db import atomic
from classifier.engine import Manifest, ModelSpec
from classifier.models import Deployment, ModelSet, ModelVersion


@dataclass(frozen=True)
class Serving:
    """The set that a worker serves: its id, and the ids of its model versions by role."""

    model_set_id: int
    versions: Mapping[str, int]


def _version(spec: ModelSpec) -> ModelVersion:
    data = spec.details.get("data") or {}
    version, _created = ModelVersion.objects.get_or_create(
        role=spec.role,
        sha256=spec.sha256,
        defaults={
            "name": spec.name,
            "task": spec.task,
            "classes": list(spec.classes),
            "input_size": spec.input_size,
            "calibrated": spec.calibrated,
            "metrics": spec.details.get("metrics") or {},
            "data_fingerprint": str(data.get("fingerprint", "")),
            "licence": str(spec.details.get("licence", "")),
        },
    )
    return version


@atomic
def register(manifest: Manifest) -> Serving:
    """Make sure that the manifest's models have their rows, and activate them unless a person chose another set."""
    known = {
        (version.role, version.sha256): version
        for version in ModelVersion.objects.filter(
            role__in=manifest.models, sha256__in=[spec.sha256 for spec in manifest.models.values()]
        )
    }
    versions = {role: known.get((role, spec.sha256)) or _version(spec) for role, spec in manifest.models.items()}
    text = "\n".join(f"{role} {versions[role].sha256}" for role in sorted(versions))
    model_set, created = ModelSet.objects.get_or_create(
        fingerprint=hashlib.sha256(text.encode()).hexdigest(), defaults={"name": manifest.version}
    )
    if created:
        model_set.versions.set(versions.values())
    _activate(model_set)
    return Serving(model_set.pk, {role: version.pk for role, version in versions.items()})


def _activate(model_set: ModelSet) -> None:
    """Compare and swap: only a deployment that no person made gives way."""
    deployment, _created = Deployment.objects.get_or_create(pk=Deployment.SINGLETON, defaults={"active": model_set})
    if deployment.active_id != model_set.pk and deployment.changed_by_id is None:
        Deployment.objects.filter(pk=deployment.pk, version=deployment.version, changed_by=None).update(
            active=model_set, version=F("version") + 1, changed_at=timezone.now()
        )
