"""Which models there are, what their classes mean and which serve. Written by the registry's services."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _

from accounts.admin.base import ReadOnlyAdmin, admin_actor
from accounts.audit_details import Words
from catalog.selectors import Taxonomy
from classifier.admin.measured import measured
from classifier.admin.model_forms import MappingForm, SampleForm, UploadForm
from classifier.jobs import operations
from classifier.models import Deployment, ModelSet, ModelVersion
from classifier.registry import class_mapping, model_sets, serving, shadow, uploads
from core.admin.base import coloured, dialog, link_to
from core.admin.theme import Dialog, action, display
from core.errors import Refused
from vision.engine import WeightsError
from vision.engine.manifest import GARMENT
from vision.engine.precision import described

_MOST_NAMED = 4
STATE_COLOURS = coloured(
    {
        ModelVersion.State.CANDIDATE.label: "info",
        ModelVersion.State.ACTIVE.label: "success",
        ModelVersion.State.RETIRED.label: "warning",
    }
)
PROMOTE_DIALOG = {
    "title": _("Let this serve from now on?"),
    "description": _("Running workers follow within seconds. What people decided and what is published stays."),
    "form_submit_text": _("Promote"),
}


def members(model_set: ModelSet) -> str:
    """Which version of a set serves in which role."""
    return " · ".join(f"{version.role}: {version.name}" for version in model_set.versions.all())


def precision(model_set: ModelSet) -> str:
    """What a worker on this machine computes in, by the setting PRECISION and by what the models were verified in."""
    try:
        chosen = described(serving.precisions_of(model_set))
    except WeightsError:
        return "–"
    return f"{chosen} (PRECISION={settings.PRECISION})"


class ManagesModels:
    """Mixin: the permission that buttons ask for; the services ask again."""

    def has_manage_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Who may change which models serve."""
        return request.user.has_perm("classifier.change_deployment")


@admin.register(ModelVersion)
class ModelVersionAdmin(ManagesModels, ReadOnlyAdmin[ModelVersion]):
    """Networks with their files, known by a hash. A new one comes by upload or by `manage.py register_model`."""

    list_display = ("name", "handle", "role", "task", "state", "offered", "unknown", "inputs", "created_at")
    list_filter = ("role", "task", "calibrated")
    search_fields = ("name", "role", "sha256", "source_sha256")
    fields = (
        "name",
        "handle",
        "role",
        "task",
        "state",
        "mapped_classes",
        "inputs",
        "probabilities",
        "measured",
        "data_fingerprint",
        "licence",
        "card_text",
        "sha256",
        "source_sha256",
        "use",
        "created_at",
    )
    actions = ("promote_selected",)
    actions_detail = ("promote", "map_classes", "try_out")
    actions_list = ("upload",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ModelVersion]:
        """With the state, in the same query."""
        return super().get_queryset(request).with_state()  # type: ignore[attr-defined,no-any-return]  # its manager's

    @display(description=_("state"), ordering="state", label=STATE_COLOURS)
    def state(self, version: ModelVersion) -> str:
        """Candidate, active or retired."""
        return str(ModelVersion.State(version.state).label)  # type: ignore[attr-defined]  # annotated by get_queryset

    @display(description=_("for commands"), ordering="pk")
    def handle(self, version: ModelVersion) -> str:
        """What commands call it where its name is not enough."""
        return f"version:{version.pk}"

    @display(description=_("input size"), ordering="input_size")
    def inputs(self, version: ModelVersion) -> str:
        """Height and width in pixels of all that it takes."""
        size = version.input_size
        shapes = [(size, size), *version.serving.get("input_shapes", ())]
        return " · ".join(f"{height} × {width}" for height, width in shapes)

    @display(description=_("calibrated"))
    def probabilities(self, version: ModelVersion) -> str:
        """Whether a classifier's confidences were calibrated; a detector's scores never are."""
        if version.task != "classify":
            return "–"
        return str(_("yes") if version.calibrated else _("no"))

    @display(description=_("classes"))
    def offered(self, version: ModelVersion) -> int:
        """How many classes it offers."""
        return len(version.classes)

    @display(description=_("unknown classes"))
    def unknown(self, version: ModelVersion) -> str:
        """Classes that stand for no value: they block the activation."""
        names = version.unknown_classes
        rest = len(names) - _MOST_NAMED
        return ", ".join(names[:_MOST_NAMED]) + (f" … (+{rest})" if rest > 0 else "")

    @display(description=_("classes and their values"))
    def mapped_classes(self, version: ModelVersion) -> str:
        """Each class as the file names it, with the value that it stands for."""
        if version.role == GARMENT and not version.mapping:
            return ", ".join(version.classes)
        rows = ((name, version.mapping.get(name, "?")) for name in version.classes)
        return format_html("<ol>{}</ol>", format_html_join("", "<li>{} → {}</li>", rows))

    @display(description=_("measured"))
    def measured(self, version: ModelVersion) -> str:
        """What was measured before it came, as a list."""
        return measured(version.metrics)

    @display(description=_("files and their use"))
    def use(self, version: ModelVersion) -> str:
        """How its files are used, as a list."""
        lines = ((str(change),) for change in Words().of_details(version.serving))
        return format_html_join("", "<div>{}</div>", lines) or "–"

    @display(description=_("card"))
    def card_text(self, version: ModelVersion) -> str:
        """The card as it was written."""
        return format_html('<pre class="wrapped">{}</pre>', version.card) if version.card else "-"

    @action(description=_("Promote the selected together"), permissions=["manage"])
    def promote_selected(self, request: HttpRequest, queryset: QuerySet[ModelVersion]) -> None:
        """Put all of them into service at once, each in its role."""
        self._promote(request, list(queryset))

    @action(description=_("Promote"), permissions=["manage"], icon="rocket_launch", dialog=PROMOTE_DIALOG)
    def promote(self, request: HttpRequest, form: Dialog, object_id: str) -> HttpResponse:
        """Put the version of the page into service."""
        self._promote(request, list(self.get_queryset(request).filter(pk=object_id)))
        return self.back_to(object_id)

    def _promote(self, request: HttpRequest, versions: list[ModelVersion]) -> None:
        try:
            model_set = model_sets.promote(actor=admin_actor(request), versions=versions)
        except Refused as refused:
            self.message_user(request, refused.message, messages.ERROR)
        else:
            self.message_user(request, format_html(str(_("{} serves now.")), link_to(model_set)), messages.SUCCESS)

    def has_map_permission(self, request: HttpRequest, object_id: str) -> bool:
        """Where a class stands for no value, and its attribute is in use."""
        if not self.has_manage_permission(request):
            return False
        version = ModelVersion.objects.filter(pk=object_id).first()
        return version is not None and bool(version.unknown_classes) and version.role in Taxonomy.load().attributes

    @action(
        description=_("Map classes"),
        permissions=["map"],
        icon="translate",
        dialog={
            "title": _("Which values do these classes stand for?"),
            "form_class": MappingForm,
            "form_submit_text": _("Save"),
        },
    )
    def map_classes(self, request: HttpRequest, form: MappingForm, object_id: str) -> HttpResponse:
        """Give classes that the taxonomy does not know their values."""
        self.each(
            request,
            self.get_queryset(request).filter(pk=object_id),
            lambda version: class_mapping.map_classes(
                actor=admin_actor(request), version=version, mapping=form.chosen_values()
            ),
            _("Saved."),
        )
        return self.back_to(object_id)

    @action(
        description=_("Try unseen"),
        permissions=["manage"],
        icon="science",
        dialog={
            "title": _("Let this model look at stored photos?"),
            "description": _("Nobody sees what it finds. A report says what would change."),
            "form_class": SampleForm,
            "form_submit_text": _("Start"),
        },
    )
    def try_out(self, request: HttpRequest, form: SampleForm, object_id: str) -> HttpResponse:
        """Start a shadow run."""
        self.each(
            request,
            self.get_queryset(request).filter(pk=object_id),
            lambda version: shadow.start(
                actor=admin_actor(request), versions=[version], sample=form.cleaned_data["sample"]
            ),
            _("It has begun: see the operations and the shadow reports."),
        )
        return self.back_to(object_id)

    def has_upload_permission(self, request: HttpRequest) -> bool:
        """Weights are programs: superusers only; the service asks again."""
        return bool(request.user.is_superuser)

    @action(description=_("Upload weights"), permissions=["upload"], icon="upload")
    def upload(self, request: HttpRequest) -> HttpResponse:
        """Take a file and queue its registration; nothing opens it here."""
        if not self.has_upload_permission(request):
            raise PermissionDenied
        form = UploadForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            try:
                operation = uploads.queue(actor=admin_actor(request), **form.cleaned_data)
            except Refused as refused:
                form.add_error(None, refused.message)
            else:
                text = format_html(str(_("The weights wait for a worker: {}")), link_to(operation))
                self.message_user(request, text, messages.SUCCESS)
                return redirect("admin:classifier_modelversion_changelist")
        context = {
            **self.admin_site.each_context(request),
            "title": _("Upload weights"),
            "opts": self.opts,
            "form": form,
        }
        return TemplateResponse(request, "admin/classifier/modelversion/upload.html", context)


@admin.register(ModelSet)
class ModelSetAdmin(ManagesModels, ReadOnlyAdmin[ModelSet]):
    """Versions that serve together."""

    list_display = ("name", "handle", "members", "created_at", "activated_at")
    search_fields = ("name", "fingerprint", "versions__name")
    fields = ("name", "handle", "fingerprint", "members", "precision", "created_at", "activated_at")
    actions_detail = ("promote",)

    def has_promote_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Where it does not serve already."""
        serves = object_id is not None and Deployment.objects.filter(active__pk=object_id).exists()
        return self.has_manage_permission(request) and not serves

    def get_queryset(self, request: HttpRequest) -> QuerySet[ModelSet]:
        """With the versions that the list names."""
        return super().get_queryset(request).prefetch_related("versions")

    @display(description=_("for commands"), ordering="pk")
    def handle(self, model_set: ModelSet) -> str:
        """What commands call it."""
        return f"set:{model_set.pk}"

    @display(description=_("versions"))
    def members(self, model_set: ModelSet) -> str:
        """Which version serves in which role."""
        return members(model_set)

    @display(description=_("computes in"))
    def precision(self, model_set: ModelSet) -> str:
        """What a worker on this machine computes in."""
        return precision(model_set)

    @action(description=_("Promote"), permissions=["promote"], icon="rocket_launch", dialog=PROMOTE_DIALOG)
    def promote(self, request: HttpRequest, form: Dialog, object_id: str) -> HttpResponse:
        """Put the set of the page into service as it is."""
        actor = admin_actor(request)
        self.each(
            request,
            self.get_queryset(request).filter(pk=object_id),
            lambda model_set: model_sets.promote_set(actor=actor, model_set=model_set),
            _("It serves now."),
        )
        return self.back_to(object_id)


@admin.register(Deployment)
class DeploymentAdmin(ManagesModels, ReadOnlyAdmin[Deployment]):
    """The set that serves now."""

    list_display = ("active", "members", "chosen", "changed_by", "changed_at")
    list_select_related = ("active", "changed_by")
    fields = ("active", "members", "precision", "before", "chosen", "version", "changed_by", "changed_at")
    actions_detail = ("roll_back", "reclassify")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Deployment]:
        """With the versions that the list names."""
        return super().get_queryset(request).prefetch_related("active__versions")

    def _trail(self, row: Model) -> dict[str, Any]:
        """Its changes are recorded at the sets that it was changed to."""
        return {"action__startswith": "deployment."}

    @display(description=_("versions"))
    def members(self, deployment: Deployment) -> str:
        """Which version serves in which role."""
        return members(deployment.active)

    @display(description=_("computes in"))
    def precision(self, deployment: Deployment) -> str:
        """What a worker on this machine computes in."""
        return precision(deployment.active)

    @display(description=_("roll back leads to"))
    def before(self, deployment: Deployment) -> str:
        """The set that would serve after a roll back."""
        model_set = model_sets.set_before(deployment)
        return format_html("{} ({})", link_to(model_set), members(model_set)) if model_set else "–"

    def _run(self, request: HttpRequest, object_id: str, operation: Any, done: Any) -> HttpResponse:
        self.each(request, self.get_queryset(request).filter(pk=object_id), lambda _deployment: operation(), done)
        return self.back_to(object_id)

    def has_roll_back_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Where a set served before."""
        deployment = Deployment.objects.filter(pk=object_id).first() if object_id is not None else None
        return (
            self.has_manage_permission(request)
            and deployment is not None
            and model_sets.set_before(deployment) is not None
        )

    @action(
        description=_("Roll back"),
        permissions=["roll_back"],
        icon="undo",
        dialog=dialog(
            _("Go back to the set that served before?"),
            _("Running workers follow within seconds. A second time goes forward again."),
            _("Roll back"),
        ),
    )
    def roll_back(self, request: HttpRequest, form: Dialog, object_id: str) -> HttpResponse:
        """The set that was active before serves again."""
        actor = admin_actor(request)
        return self._run(request, object_id, lambda: model_sets.roll_back(actor=actor), _("It serves again."))

    @action(
        description=_("Classify everything again"),
        permissions=["manage"],
        icon="replay",
        dialog=dialog(
            _("Let the active models look at every photo once more?"),
            _("This takes a while and runs behind other work; it can be paused. What people decided stays."),
            _("Start"),
        ),
    )
    def reclassify(self, request: HttpRequest, form: Dialog, object_id: str) -> HttpResponse:
        """Start the operation over all merchants."""
        actor = admin_actor(request)
        done = _("It has begun: see the operations.")
        return self._run(request, object_id, lambda: operations.start_reclassify(actor=actor), done)
