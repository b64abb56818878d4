"""Models in service, classification jobs, and what the models said."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, Value, When
from django.utils.translation import gettext_lazy as _

from accounts.models import Merchant, Operation
from catalog.models import Attribute, AttributeValue, ProductImage
from classifier.precision import least_decisions
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


class Classification(models.Model):
    """The job of looking at one image. A failure is a state that people see and can retry."""

    class Purpose(models.TextChoices):
        """Whether the result counts for the product, or was only tried."""

        LIVE = "live", _("live")
        SHADOW = "shadow", _("shadow")
        AD_HOC = "ad_hoc", _("ad hoc")

    class State(models.TextChoices):
        """Where the job is."""

        QUEUED = "queued", _("waiting")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    class Error(models.TextChoices):
        """Why a job waits longer or failed, as people read it."""

        MODEL_NOT_AVAILABLE = (
            "model_not_available",
            _("Model not available. The photo is kept and will be classified when the model is there."),
        )
        MODEL_REFUSED = (
            "model_refused",
            _("Model not available: its file is not the one that was released. The photo is kept and waits."),
        )
        FILE_MISSING = "file_missing", _("The photo's file is missing. Upload it again.")
        UNREADABLE = "unreadable", _("The photo cannot be read. Upload it again.")
        STORAGE = (
            "storage_unavailable",
            _("The storage does not answer. The photo is kept and will be classified as soon as it does."),
        )
        GAVE_UP = "gave_up", _("The classification broke off several times and was given up. You can start it again.")

    class Priority(models.IntegerChoices):
        """Somebody waits at a screen, or nobody does."""

        INTERACTIVE = 0, _("interactive")
        BULK = 10, _("bulk")

    image = models.ForeignKey(ProductImage, models.CASCADE, related_name="classifications", verbose_name=_("photo"))
    purpose = models.CharField(_("purpose"), max_length=6, choices=Purpose.choices, default=Purpose.LIVE)
    priority = models.PositiveSmallIntegerField(_("priority"), choices=Priority.choices, default=Priority.INTERACTIVE)
    # The image's, repeated for the queue; classifier.jobs.queue says what a turn is. NULL: queued before them.
    merchant = models.ForeignKey(Merchant, models.CASCADE, null=True, editable=False, related_name="+", db_index=False)
    turn = models.PositiveBigIntegerField(default=0, editable=False)
    # While it waits: not before the storage may answer again.
    not_before = models.DateTimeField(null=True, blank=True, editable=False)
    image_sha256 = models.CharField(max_length=64, editable=False)
    # The set that looked; while the job waits only if it must be that one, else whichever is active.
    model_set = models.ForeignKey(
        ModelSet, models.PROTECT, null=True, blank=True, related_name="classifications", verbose_name=_("model set")
    )
    operation = models.ForeignKey(
        Operation, models.SET_NULL, null=True, blank=True, related_name="classifications", verbose_name=_("operation")
    )
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.QUEUED)
    # "image:purpose" while the job is open, NULL after: a unique index that lets only one open job through. Shadow
    # jobs add their operation: candidates do not wait for each other.
    open_key = models.CharField(max_length=40, null=True, unique=True, editable=False)  # noqa: DJ001 - NULLs don't collide
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    lease_token = models.CharField(max_length=32, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    error_code = models.CharField(_("error"), max_length=40, blank=True, choices=Error.choices)
    error_message = models.CharField(_("error in detail"), max_length=500, blank=True)
    timings = models.JSONField(_("timings (ms)"), default=dict)
    # Counted when it is done, because garments are pruned later. NULL: not done, or pruned before they were counted.
    garments_found = models.PositiveIntegerField(_("garments found"), null=True, blank=True, editable=False)
    queued_at = models.DateTimeField(_("queued"), auto_now_add=True)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    applied_at = models.DateTimeField(_("applied"), null=True, blank=True)

    class Meta:
        verbose_name = _("classification")
        verbose_name_plural = _("classifications")
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=("queued", "running"), open_key__isnull=False)
                | Q(state__in=("done", "failed"), open_key=None),
                name="classification_open_key",
            ),
            models.CheckConstraint(
                condition=Q(purpose__in=("live", "shadow", "ad_hoc")), name="classification_purpose"
            ),
            models.UniqueConstraint(fields=("operation", "image"), name="classification_operation_once"),
        )
        indexes = (
            models.Index(fields=("state", "priority", "turn", "id"), name="classification_turns"),
            models.Index(fields=("merchant", "state", "priority", "turn"), name="classification_merchant"),
            models.Index(fields=("state", "lease_until"), name="classification_lease"),
            models.Index(fields=("image", "purpose", "-id"), name="classification_image"),
            models.Index(fields=("finished_at",), name="classification_finished"),
            models.Index(fields=("operation", "state"), name="classification_operation"),
            # What was never applied: shadow jobs never are, and must not be read again and again.
            models.Index(fields=("purpose", "applied_at", "state", "finished_at"), name="classification_unapplied"),
        )

    def __str__(self) -> str:
        return f"{self.image}: {self.get_state_display()}"


class Garment(models.Model):
    """A garment in an image. The box is in fractions of the upright display copy."""

    class Source(models.TextChoices):
        """Who found it; people's boxes survive re-runs."""

        MODEL = "model", _("model")
        HUMAN = "human", _("person")

    image = models.ForeignKey(ProductImage, models.CASCADE, related_name="garments")
    classification = models.ForeignKey(
        Classification, models.CASCADE, null=True, blank=True, related_name="garments", verbose_name=_("classification")
    )
    source = models.CharField(_("source"), max_length=5, choices=Source.choices, default=Source.MODEL)
    x1 = models.FloatField()
    y1 = models.FloatField()
    x2 = models.FloatField()
    y2 = models.FloatField()
    confidence = models.FloatField(_("confidence"), null=True, blank=True)
    # Codes of the attributes that a model says cannot be seen here. NULL: drawn by a person, or older than that.
    hidden = models.JSONField(_("not visible in the photo"), null=True, blank=True, editable=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("garment")
        verbose_name_plural = _("garments")
        ordering = ("-confidence", "id")
        constraints = (
            models.CheckConstraint(
                condition=Q(x1__gte=0, y1__gte=0, x2__lte=1, y2__lte=1, x1__lt=F("x2"), y1__lt=F("y2")),
                name="garment_box",
            ),
            models.CheckConstraint(
                condition=Q(source="human") | Q(source="model", classification__isnull=False), name="garment_source"
            ),
        )

    def __str__(self) -> str:
        return f"{self.image_id}: {self.x1:.2f} {self.y1:.2f} {self.x2:.2f} {self.y2:.2f}"


class Prediction(models.Model):
    """What one model said of one attribute of one garment. Append-only."""

    garment = models.ForeignKey(Garment, models.CASCADE, related_name="predictions")
    attribute = models.ForeignKey(Attribute, models.PROTECT, related_name="+", verbose_name=_("attribute"))
    value = models.ForeignKey(AttributeValue, models.PROTECT, related_name="+", verbose_name=_("value"))
    confidence = models.FloatField(_("confidence"))
    calibrated = models.BooleanField(_("calibrated"), default=False)
    alternatives = models.JSONField(_("alternatives"), default=list)  # [{"value": code, "confidence": float}, …]
    model_version = models.ForeignKey(ModelVersion, models.PROTECT, related_name="predictions", verbose_name=_("model"))
    created_at = models.DateTimeField(_("time"), auto_now_add=True)

    class Meta:
        verbose_name = _("prediction")
        verbose_name_plural = _("predictions")
        ordering = ("garment", "attribute")
        constraints = (
            models.UniqueConstraint(fields=("garment", "attribute", "model_version"), name="prediction_once"),
            models.CheckConstraint(condition=Q(confidence__gte=0, confidence__lte=1), name="prediction_confidence"),
        )
        indexes = (models.Index(fields=("attribute", "value"), name="prediction_value"),)

    def __str__(self) -> str:
        return f"{self.attribute}: {self.value}"


class AcceptanceThreshold(models.Model):
    """From which confidence on one model's proposals are auto-accepted.

    A scope is a model version's attribute, all of its classes or one, in all merchants or one. Confidences of another
    version mean something else, so a new model starts without thresholds.
    """

    merchant = models.ForeignKey(Merchant, models.CASCADE, null=True, blank=True, verbose_name=_("merchant"))
    attribute = models.ForeignKey(Attribute, models.PROTECT, related_name="+", verbose_name=_("attribute"))
    value = models.ForeignKey(
        AttributeValue, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("proposed value")
    )
    model_version = models.ForeignKey(ModelVersion, models.PROTECT, related_name="+", verbose_name=_("model"))
    scope = models.CharField(max_length=100, unique=True, editable=False)  # the four above; NULLs would not collide
    enabled = models.BooleanField(
        _("in use"), default=True, help_text=_("Off: nothing of this scope is auto-accepted.")
    )
    precision = models.FloatField(_("required precision"))
    decisions = models.PositiveIntegerField(_("decisions"), help_text=_("of people, on proposals of this scope"))
    threshold = models.FloatField(_("threshold"), null=True, blank=True)
    above = models.PositiveIntegerField(_("decisions above"), default=0)
    right = models.PositiveIntegerField(_("of these right"), default=0)
    lower_bound = models.FloatField(_("lower bound of precision"), null=True, blank=True)
    coverage = models.FloatField(_("coverage"), null=True, blank=True)
    calibrated_at = models.DateTimeField(_("calibrated"))

    class Meta:
        verbose_name = _("acceptance threshold")
        verbose_name_plural = _("acceptance thresholds")
        ordering = ("attribute", "model_version", "merchant", "value")
        constraints = (
            models.CheckConstraint(
                condition=Q(threshold=None) | Q(threshold__gte=0, threshold__lte=1), name="acceptance_threshold"
            ),
        )

    def __str__(self) -> str:
        return f"{self.attribute} {self.value or ''}".strip()

    @staticmethod
    def scope_of(merchant: int | None, attribute: int, value: int | None, model_version: int) -> str:
        """Name a scope by its ids, with `-` for all."""
        return f"{merchant or '-'}:{attribute}:{value or '-'}:{model_version}"

    @property
    def rules(self) -> bool:
        """Whether it decides for its scope; one with too few decisions leaves that to a wider scope."""
        return not self.enabled or self.decisions >= least_decisions(self.precision)


class ShadowReport(models.Model):
    """What a candidate would have changed for products of the catalogue, and whether people agree."""

    operation = models.OneToOneField(
        Operation, models.CASCADE, related_name="shadow_report", verbose_name=_("operation")
    )
    candidate = models.ForeignKey(ModelSet, models.PROTECT, related_name="+", verbose_name=_("candidate"))
    figures = models.JSONField(_("figures"), default=dict)  # classifier.registry.shadow documents both
    changes = models.JSONField(_("changes"), default=list)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("shadow report")
        verbose_name_plural = _("shadow reports")
        ordering = ("-id",)

    def __str__(self) -> str:
        return str(self.candidate)


class Chore(models.Model):
    """Work that one worker at a time does now and then: its lease, and how far it is. See classifier.jobs.chores."""

    name = models.CharField(max_length=40, unique=True)
    lease_token = models.CharField(max_length=32, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    # The last job that was looked at, in the order in which jobs were finished.
    done_until = models.DateTimeField(null=True, blank=True)
    done_id = models.BigIntegerField(default=0)

    class Meta:
        default_permissions = ()  # no page shows it

    def __str__(self) -> str:
        return self.name
