"""Which models there are and which serve. Written by training and by promotion, read here."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.admin.base import BaseAdmin, ReadOnly
from accounts.admin.theme import display
from classifier.models import Deployment, ModelSet, ModelVersion


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnly, BaseAdmin[ModelVersion]):
    """Trained networks, known by the hashes of their files."""

    list_display = ("name", "role", "task", "offered", "input_size", "calibrated", "fingerprint", "created_at")
    list_filter = ("role", "task", "calibrated")
    search_fields = ("name", "role", "sha256")
    fields = (
        "name",
        "role",
        "task",
        "sha256",
        "classes",
        "input_size",
        "calibrated",
        "metrics",
        "data_fingerprint",
        "licence",
        "created_at",
    )

    @display(description=_("classes"))
    def offered(self, version: ModelVersion) -> int:
        """How many classes it offers."""
        return len(version.classes)

    @display(description="SHA-256")
    def fingerprint(self, version: ModelVersion) -> str:
        """The hash's beginning."""
        return version.sha256[:12]


@admin.register(ModelSet)
class ModelSetAdmin(ReadOnly, BaseAdmin[ModelSet]):
    """Versions that serve together."""

    list_display = ("name", "members", "created_at")
    search_fields = ("name", "fingerprint", "versions__name")
    fields = ("name", "fingerprint", "members", "created_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ModelSet]:
        """With the versions that the list names."""
        return super().get_queryset(request).prefetch_related("versions")

    @display(description=_("versions"))
    def members(self, model_set: ModelSet) -> str:
        """Which version serves in which role."""
        return " · ".join(f"{version.role}: {version.name}" for version in model_set.versions.all())


@admin.register(Deployment)
class DeploymentAdmin(ReadOnly, BaseAdmin[Deployment]):
    """The set that serves now."""

    list_display = ("active", "version", "changed_by", "changed_at")
    list_select_related = ("active", "changed_by")
    fields = ("active", "version", "changed_by", "changed_at")
