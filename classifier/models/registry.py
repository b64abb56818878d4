"""Models in service: versions, sets of them, and the one that is active."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Case, Exists, OuterRef, Q, Value, When
from django.utils.translation import gettext_lazy as _

from vision.engine.manifest import GARMENT


class ModelVersionQuerySet(models.QuerySet["ModelVersion"]):
    """Versions, and where each stands."""

    def with_state(self) -> ModelVersionQuerySet:
        """Annotate `state`: a version is what the sets that it belongs to are."""
        serving = Deployment.objects.filter(active__versions=OuterRef("pk"))
        served = ModelSet.objects.filter(versions=OuterRef("pk"), activated_at__isnull=False)
        state = ModelVersion.State
        return self.annotate(
            state=Case(
                When(Exists(serving), then=Value(state.ACTIVE)),
                When(Exists(served), then=Value(state.RETIRED)),
                default=Value(state.CANDIDATE),
            )
        )


class ModelVersion(models.Model):
    """One trained network and how it is used, known by a hash over both. Only its mapping may change, until it serves.

    `serving` holds its exported files and the fields of `engine.ModelSpec` that say how they are used.
    """

    class State(models.TextChoices):
        """Whether it serves, has served, or never did. Follows from its sets; no column."""

        CANDIDATE = "candidate", _("candidate")
        ACTIVE = "active", _("active")
        RETIRED = "retired", _("retired")

    class Task(models.TextChoices):
        """How the network answers: boxes with classes, or one class a crop."""

        DETECT = "detect", _("detector")
        CLASSIFY = "classify", _("classifier")

    role = models.CharField(_("role"), max_length=40, help_text=_("garment, or the code of an attribute"))
    name = models.CharField(_("name"), max_length=100)
    task = models.CharField(_("task"), max_length=10, choices=Task.choices)
    sha256 = models.CharField("SHA-256", max_length=64)
    source_sha256 = models.CharField(_("SHA-256 of the file it came from"), max_length=64, blank=True)
    classes = models.JSONField(_("classes"), default=list, help_text=_("As the file names them, in its order."))
    mapping = models.JSONField(_("values of the classes"), default=dict)  # {class: code of a value}
    serving = models.JSONField(_("files and their use"), default=dict)
    input_size = models.PositiveSmallIntegerField(_("input size"))
    calibrated = models.BooleanField(_("calibrated"), default=False)
    metrics = models.JSONField(_("metrics"), default=dict)
    data_fingerprint = models.CharField(_("data"), max_length=100, blank=True)
    licence = models.CharField(_("licence"), max_length=40, blank=True)
    card = models.TextField(_("card"), blank=True)
    created_at = models.DateTimeField(_("registered"), auto_now_add=True)

    objects: ClassVar[ModelVersionQuerySet] = ModelVersionQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("model version")
        verbose_name_plural = _("model versions")
        ordering = ("role", "-id")
        constraints = (
            models.UniqueConstraint(fields=("role", "sha256"), name="model_version_file"),
            models.CheckConstraint(condition=Q(task__in=("detect", "classify")), name="model_version_task"),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def unknown_classes(self) -> list[str]:
        """Classes that stand for no value yet: with one of them it cannot serve. Garments need no class."""
        return [] if self.role == GARMENT else [name for name in self.classes if name not in self.mapping]


class ModelSet(models.Model):
    """The versions that serve together, one per role. Immutable: a change is a new set."""

    name = models.CharField(_("name"), max_length=100)
    fingerprint = models.CharField(_("fingerprint"), max_length=64, unique=True, editable=False)
    versions = models.ManyToManyField(ModelVersion, related_name="sets", verbose_name=_("versions"))
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    activated_at = models.DateTimeField(_("last activated"), null=True, blank=True)

    class Meta:
        verbose_name = _("model set")
        verbose_name_plural = _("model sets")
        ordering = ("-id",)

    def __str__(self) -> str:
        return self.name


class Deployment(models.Model):
    """The one row that says which set is active; changed by compare-and-swap on `version`."""

    SINGLETON = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=SINGLETON, editable=False)
    active = models.ForeignKey(ModelSet, models.PROTECT, related_name="+", verbose_name=_("active set"))
    version = models.PositiveIntegerField(_("changes so far"), default=1)
    # Once somebody promoted a set, newer weights in WEIGHTS_DIR no longer take over on their own.
    chosen = models.BooleanField(_("chosen by somebody"), default=False)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("changed by")
    )
    changed_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        verbose_name = _("deployment")
        verbose_name_plural = _("deployment")
        constraints = (models.CheckConstraint(condition=Q(id=1), name="deployment_singleton"),)

    def __str__(self) -> str:
        return str(self.active)
