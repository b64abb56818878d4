"""The registry: which model versions there are, the sets that they serve in, and which set is active.

A set is active because the one row of `Deployment` says so. To promote, to roll back and to take up newer shipped
weights are the same operation on that row, a compare-and-swap. Nothing here touches what people decided.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from accounts.services import record
from catalog.models import CATEGORY
from catalog.selectors import Taxonomy
from classifier.models import Deployment, ModelSet, ModelVersion
from classifier.permissions import require_models
from classifier.registry import class_mapping, weight_files
from core.db import atomic
from core.errors import Conflict
from vision.engine import Manifest, ModelSpec, WeightFile, WeightsError
from vision.engine.manifest import GARMENT, IDENTITY
from vision.engine.precision import OPENVINO
from webhooks import events
from webhooks.events import Told
from webhooks.models import EventType

logger = logging.getLogger(__name__)

_NAME_LENGTH = 100
# How a model's files are used: fields of engine.ModelSpec that a version keeps beside them, not in columns.
_COLUMNS = ("task", "classes", "input_size", "calibrated")
USE = [field.name for field in fields(ModelSpec) if field.name not in (*IDENTITY, *_COLUMNS)]


# --- The shipped weights ----------------------------------------------------------------------------------------------


def shipped_manifest() -> Manifest:
    """What WEIGHTS_DIR lists. Raises WeightsError."""
    return Manifest.load(settings.WEIGHTS_DIR)


def register_shipped(checked: set[str] | None = None) -> None:
    """Register the models in WEIGHTS_DIR as a set, once, and activate it unless somebody chose another.

    Args:
        checked: fingerprints of manifests whose files the caller knows to be in the storage, which is not asked for
            them again; this one is added.

    Raises WeightsError if they cannot be read and there is nothing else to serve.
    """
    try:
        manifest = shipped_manifest()
        known = _known(manifest)
        if known is not None and checked is not None and manifest.fingerprint in checked:
            return
        if known is not None and all(_is_up_to_date(v, manifest.models[v.role]) for v in known.versions.all()):
            if checked is not None:
                checked.add(manifest.fingerprint)
            return
        serving = {role: serving_of(spec) for role, spec in manifest.models.items()}
    except WeightsError as error:
        if not Deployment.objects.exists():
            raise
        logger.warning("the weights in WEIGHTS are not registered: %s", error)
        return
    if known is None:
        _add_shipped(manifest, serving)
        return
    # Files were missing, as after a database was restored without them; or the models got further precisions.
    for version in known.versions.all():
        if version.serving != serving[version.role]:
            version.serving = serving[version.role]
            version.save(update_fields=["serving"])


def _known(manifest: Manifest) -> ModelSet | None:
    shipped = [(role, spec.sha256) for role, spec in manifest.models.items()]
    return ModelSet.objects.filter(fingerprint=_fingerprint(shipped)).first()


def serve_shipped() -> None:
    """Let the set in WEIGHTS_DIR serve, though a newer one was shipped since, unless somebody chose a set.

    For workers that start, after a release was taken back. Later it is not asked again: where two releases run side
    by side they would take turns. Raises WeightsError if the set cannot be read.
    """
    register_shipped()
    known, deployment = _known(shipped_manifest()), active_deployment()
    if known is None or deployment is None or deployment.chosen or deployment.active == known:
        return
    if atomic(_activate)(known, deployment, chosen=False):
        logger.info("the shipped set %s serves again in place of %s", known, deployment.active)


def _is_up_to_date(version: ModelVersion, spec: ModelSpec) -> bool:
    """Whether a shipped model's row says what its manifest says of files and precisions, and the files are stored."""
    lists = {name: [file.sha256 for file in files] for name, files in _files(spec)}
    kept = {name: version.serving[name] for name in weight_files.LISTS if name in version.serving}
    return (
        lists == {name: [entry["sha256"] for entry in listed] for name, listed in kept.items()}
        and list(spec.verified) == version.serving.get("verified", [])
        and all(weight_files.is_kept(entry) for entry in weight_files.entries(version.serving))
    )


def serving_of(spec: ModelSpec) -> dict[str, Any]:
    """Store the files of a model, each verified; returns what `ModelVersion.serving` keeps."""
    spec.networks(OPENVINO)  # else it cannot serve
    kept = {name: [weight_files.keep(file.read(), file.path.suffix) for file in files] for name, files in _files(spec)}
    use = {name: getattr(spec, name) for name in USE} | {"input_shapes": [list(shape) for shape in spec.input_shapes]}
    return {**kept, "verified": list(spec.verified), **use}


def _files(spec: ModelSpec) -> Iterator[tuple[str, tuple[WeightFile, ...]]]:
    """The files that serve a model, under the names by which `ModelVersion.serving` lists them."""
    for name, (field, runtime) in weight_files.LISTS.items():
        if runtime in (files := getattr(spec, field)):
            yield name, files[runtime]


def version_of(spec: ModelSpec, serving: Mapping[str, Any], taxonomy: Taxonomy) -> dict[str, Any]:
    """The fields of a new version's row that its description gives."""
    data = spec.details.get("data") or {}
    return {
        "name": spec.name[:_NAME_LENGTH],
        "task": spec.task,
        "classes": list(spec.classes),
        "mapping": class_mapping.known_classes(spec.role, spec.classes, taxonomy),
        "serving": dict(serving),
        "input_size": spec.input_size,
        "calibrated": spec.calibrated,
        "metrics": spec.details.get("metrics") or {},
        "data_fingerprint": str(data.get("fingerprint", ""))[:100],
        "licence": str(spec.details.get("licence", ""))[:40],
    }


@atomic
def _add_shipped(manifest: Manifest, serving: Mapping[str, Mapping[str, Any]]) -> None:
    taxonomy = Taxonomy.load()
    versions = []
    for role, spec in manifest.models.items():
        fields = version_of(spec, serving[role], taxonomy) | {"card": _card(spec)}
        versions.append(ModelVersion.objects.get_or_create(role=role, sha256=spec.sha256, defaults=fields)[0])
    model_set = set_of(versions, name=manifest.version)
    deployment = active_deployment()
    if deployment is None or not deployment.chosen:
        _activate(model_set, deployment, chosen=False)


def _card(spec: ModelSpec) -> str:
    path = Path(settings.WEIGHTS_DIR) / Path(str(spec.details.get("card", ""))).name
    return path.read_text(encoding="utf-8") if path.is_file() else ""


# --- Sets and which one is active -------------------------------------------------------------------------------------


def _fingerprint(members: Iterable[tuple[str, str]]) -> str:
    return hashlib.sha256("\n".join(f"{role} {sha256}" for role, sha256 in sorted(members)).encode()).hexdigest()


def set_of(versions: Iterable[ModelVersion], *, name: str) -> ModelSet:
    """The set of these versions, made if there is none yet, in the caller's transaction."""
    members = list(versions)
    model_set, created = ModelSet.objects.get_or_create(
        fingerprint=_fingerprint((version.role, version.sha256) for version in members),
        defaults={"name": name[:_NAME_LENGTH]},
    )
    if created:
        model_set.versions.set(members)
    return model_set


def active_deployment() -> Deployment | None:
    """The deployment with its set; None before the first weights are there."""
    return Deployment.objects.select_related("active").first()


def successor(active: ModelSet | None, versions: Iterable[ModelVersion]) -> ModelSet:
    """The set that has these versions in their roles and is otherwise as `active`, in the caller's transaction.

    A category detector finds garments itself: with one, the garment model of the active set steps aside unless one
    is given.

    Raises:
        Conflict: `roles`, `unknown_classes`, `no_files`, `no_finder`.
    """
    # Read again and locked: nobody maps their classes meanwhile.
    chosen = ModelVersion.objects.select_for_update().filter(pk__in=[version.pk for version in versions])
    given = {version.role: version for version in chosen}
    if len(given) < len(chosen):
        raise Conflict("roles", _("Two of these versions have the same role."))
    members = {version.role: version for version in active.versions.all()} if active else {}
    category = given.get(CATEGORY)
    if category is not None and category.task == ModelVersion.Task.DETECT:
        members.pop(GARMENT, None)
    members |= given
    for version in given.values():
        _complete_mapping(version)
    check_servable(members.values())
    named = ", ".join(version.name for version in given.values())
    return set_of(members.values(), name=named)


def _complete_mapping(version: ModelVersion) -> None:
    """Map classes whose values came into the taxonomy after the version was registered."""
    if version.unknown_classes:
        version.mapping |= class_mapping.known_classes(version.role, version.unknown_classes, Taxonomy.load())
        version.save(update_fields=["mapping"])


def check_servable(versions: Iterable[ModelVersion]) -> None:
    """Raise Conflict (`unknown_classes`, `no_files`, `no_finder`) unless these versions could serve together."""
    members = {version.role: version for version in versions}
    for version in members.values():
        if not version.serving:
            raise Conflict("no_files", _("The files of “%(name)s” are not in the registry."), {"name": version.name})
        if version.unknown_classes and not version.sets.exists():
            raise Conflict(
                "unknown_classes",
                _("Say first which values these classes of “%(name)s” stand for: %(classes)s."),
                {"name": version.name, "classes": ", ".join(version.unknown_classes)},
            )
    finder = members.get(GARMENT) or members.get(CATEGORY)
    if finder is None or finder.task != ModelVersion.Task.DETECT:
        raise Conflict(
            "no_finder", _("Nothing in this set finds garments: add a garment model, or a detector of categories.")
        )


def promote(*, actor: Actor, versions: Iterable[ModelVersion], only: bool = False) -> ModelSet:
    """Let these versions serve from now on, with the rest of the active set or `only` they; see `successor`.

    Running workers follow within seconds. What people decided and what is published stays as it is.

    Raises:
        Forbidden: the actor may not manage models.
        Conflict: as `successor`; `files_refused` if a file is missing or not the one that was registered; `changed`.
    """
    require_models(actor)
    with suppress(WeightsError):  # no weights folder: then there is no rest
        register_shipped()
    chosen = list(versions)
    _check_files(chosen)
    return _promote(actor, chosen, only)


@atomic
def _promote(actor: Actor, versions: list[ModelVersion], only: bool) -> ModelSet:
    deployment = active_deployment()
    base = deployment.active if deployment and not only else None
    return _replace_active(actor, deployment, successor(base, versions), "deployment.promote")


def promote_set(*, actor: Actor, model_set: ModelSet) -> ModelSet:
    """Let a set serve as it is. Raises as `promote` does."""
    require_models(actor)
    _check_files(model_set.versions.all())
    return _promote_set(actor, model_set, "deployment.promote")


def set_before(deployment: Deployment) -> ModelSet | None:
    """The set that was active before the one that is now: where a roll back leads."""
    served = ModelSet.objects.filter(activated_at__isnull=False).exclude(pk=deployment.active_id)
    return served.order_by("-activated_at", "-pk").first()


def roll_back(*, actor: Actor) -> ModelSet:
    """Go back to the set that was active before. Twice ends where it began.

    Raises:
        Forbidden: the actor may not manage models.
        Conflict: `nothing_before`, and as `promote`.
    """
    require_models(actor)
    deployment = active_deployment()
    before = set_before(deployment) if deployment else None
    if before is None:
        raise Conflict("nothing_before", _("No other set has been active: there is nothing to go back to."))
    _check_files(before.versions.all())
    return _promote_set(actor, before, "deployment.roll_back")


@atomic
def _promote_set(actor: Actor, model_set: ModelSet, action: str) -> ModelSet:
    deployment = active_deployment()
    check_servable(model_set.versions.all())
    return _replace_active(actor, deployment, model_set, action)


def _check_files(versions: Iterable[ModelVersion]) -> None:
    """Raise Conflict before workers meet the error: a file is missing, or not the one that was registered."""
    for version in versions:
        for entry in weight_files.entries(version.serving):
            try:
                weight_files.stored(entry).read()
            except WeightsError as error:
                raise Conflict("files_refused", "%(error)s", {"error": str(error)}) from error


def _replace_active(actor: Actor, deployment: Deployment | None, model_set: ModelSet, action: str) -> ModelSet:
    """Activate a set in place of the one that the deployment had when it was read. Raises Conflict: `changed`."""
    before = deployment.active if deployment else None
    if before != model_set or (deployment and not deployment.chosen):
        if not _activate(model_set, deployment, chosen=True, actor=actor):
            raise Conflict("changed", _("Somebody else changed the active set at the same moment. Look again."))
        models = {version.role: version.name for version in model_set.versions.all()}
        record(
            actor=actor,
            action=action,
            subject_type="model_set",
            subject_id=str(model_set.pk),
            merchant_id=None,
            before=before.pk if before else None,
            models=models,
        )
        told = Told(EventType.MODEL_PROMOTED, {"model_set": model_set.name, "models": models, "action": action})
        events.emit(None, [told.kind], lambda: [told])
    return model_set


def _activate(model_set: ModelSet, deployment: Deployment | None, *, chosen: bool, actor: Actor | None = None) -> bool:
    """Compare and swap, in the caller's transaction; says whether the deployment was still the one given."""
    now = timezone.now()
    fields = {"active": model_set, "chosen": chosen, "changed_by": actor.user if actor else None, "changed_at": now}
    if deployment is None:
        _deployment, swapped = Deployment.objects.get_or_create(pk=Deployment.SINGLETON, defaults=fields)
    else:
        same = Deployment.objects.filter(pk=deployment.pk, version=deployment.version)
        swapped = bool(same.update(version=F("version") + 1, **fields))
    if swapped:
        ModelSet.objects.filter(pk=model_set.pk).update(activated_at=now)
    return swapped
