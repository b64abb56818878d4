"""Users, merchants and who belongs to them; API keys, the audit trail and long operations."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from accounts.audit_labels import action_label, in_name_of, operation_label
from accounts.channels import Channel
from core.ids import PUBLIC_ID_LENGTH, public_id
from core.text import lookup_key


class UserManager(BaseUserManager["User"]):
    """Finds users by e-mail however it is spelled."""

    def get_by_natural_key(self, username: str | None) -> User:
        """Return the user with that e-mail, whatever its case and spacing."""
        return self.get(email_key=lookup_key(username or ""))

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Create an active user without any permissions."""
        user = self.model(email=email.strip(), **fields)
        user.set_password(password)
        user.save()
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Create an administrator with every permission."""
        return self.create_user(email, password, **{**fields, "is_staff": True, "is_superuser": True})


class User(AbstractBaseUser, PermissionsMixin):
    """A person who logs in by e-mail."""

    email = models.EmailField(_("e-mail"), max_length=254)
    email_key = models.CharField(max_length=64, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=100, blank=True)
    language = models.CharField(
        _("language"), max_length=5, choices=[("ko", "한국어"), ("en", "English")], default="ko"
    )
    is_staff = models.BooleanField(_("may enter the admin"), default=False)
    is_active = models.BooleanField(_("active"), default=True)
    date_joined = models.DateTimeField(_("joined"), default=timezone.now)
    erased_at = models.DateTimeField(_("erased"), null=True, blank=True, editable=False)

    # Set before it is saved for who signs up: everybody else's e-mail counts as confirmed (accounts/signals.py).
    is_unconfirmed = False

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        permissions = (("impersonate_user", gettext_noop("Can work as a member of a merchant")),)

    def __str__(self) -> str:
        if self.erased_at is not None:
            return gettext("erased person %(number)d") % {"number": self.pk}
        return self.name or self.email

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep the lookup key in step with the e-mail."""
        self.email_key = lookup_key(self.email)
        changed = kwargs.get("update_fields")
        if changed is not None and "email" in changed:
            kwargs["update_fields"] = {*changed, "email_key"}
        super().save(*args, **kwargs)

    def get_full_name(self) -> str:
        """Return the name that pages show."""
        return str(self)

    get_short_name = get_full_name


class Merchant(models.Model):
    """A merchant: the tenant that products, keys and members belong to."""

    public_id = models.CharField(
        _("number"), max_length=PUBLIC_ID_LENGTH, unique=True, default=public_id, editable=False
    )
    name = models.CharField(_("name"), max_length=100)
    is_demo = models.BooleanField(
        _("demo shop"), default=False, help_text=_("Its pages say that its products are examples.")
    )
    is_active = models.BooleanField(_("active"), default=True)
    images_for_training = models.BooleanField(
        _("photos may train models"),
        default=True,
        help_text=_("Off: the shop's photos and decisions are never exported as a data set."),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    # Set while an owner has the merchant closed: then everything of it is deleted (catalog/services/closing.py).
    closes_at = models.DateTimeField(_("closes"), null=True, blank=True, editable=False, db_index=True)

    class Meta:
        verbose_name = _("merchant")
        verbose_name_plural = _("merchants")
        ordering = ("name", "id")
        permissions = (("view_all_merchants", gettext_noop("Can see every merchant's products")),)

    def __str__(self) -> str:
        return self.name


class MerchantFigures(models.Model):
    """What a merchant has and does, counted by a worker now and then: lists of merchants read it and count nothing."""

    merchant = models.OneToOneField(Merchant, models.CASCADE, related_name="figures", verbose_name=_("merchant"))
    products = models.PositiveBigIntegerField(_("products"), default=0)
    images = models.PositiveBigIntegerField(_("photos"), default=0)
    bytes = models.PositiveBigIntegerField(_("bytes"), default=0)
    # Of the proposals that people looked at in the products reviewed last: how many, and how many they kept.
    answered = models.PositiveIntegerField(_("answered"), default=0)
    kept = models.PositiveIntegerField(_("kept"), default=0)
    last_active = models.DateTimeField(_("last active"), null=True, blank=True)
    last_event = models.PositiveBigIntegerField(default=0)  # the newest line of the audit trail that is counted
    counted_at = models.DateTimeField(_("counted"), null=True, blank=True)

    class Meta:
        verbose_name = _("figures of a merchant")
        verbose_name_plural = _("figures of merchants")
        default_permissions = ()  # who sees the merchant sees them

    def __str__(self) -> str:
        return str(self.merchant)


class Membership(models.Model):
    """A user's role in a merchant."""

    class Role(models.TextChoices):
        """What a member may do: see, change products, or also manage the merchant."""

        OWNER = "owner", _("owner")
        EDITOR = "editor", _("editor")
        VIEWER = "viewer", _("viewer")

    user = models.ForeignKey(User, models.CASCADE, related_name="memberships", verbose_name=_("user"))
    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="memberships", verbose_name=_("merchant"))
    role = models.CharField(_("role"), max_length=10, choices=Role.choices, default=Role.EDITOR)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = (
            models.UniqueConstraint(fields=("user", "merchant"), name="membership_once"),
            models.CheckConstraint(condition=Q(role__in=("owner", "editor", "viewer")), name="membership_role"),
        )

    def __str__(self) -> str:
        return f"{self.user} · {self.merchant} ({self.get_role_display()})"


class Invitation(models.Model):
    """A mail that lets the owner of the address join a merchant. Only a hash of its link's secret is kept."""

    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="invitations", verbose_name=_("merchant"))
    email = models.EmailField(_("e-mail"), max_length=254)
    role = models.CharField(_("role"), max_length=10, choices=Membership.Role.choices, default=Membership.Role.EDITOR)
    secret_hash = models.CharField(max_length=64, unique=True, editable=False)
    # Merchant and address while it waits, NULL after: a unique index that lets only one wait.
    open_key = models.CharField(max_length=90, null=True, unique=True, editable=False)  # noqa: DJ001 - NULLs don't collide
    invited_by = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("invited by")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    expires_at = models.DateTimeField(_("good until"))
    accepted_by = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("accepted by")
    )

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(condition=Q(role__in=("owner", "editor", "viewer")), name="invitation_role"),
        )

    def __str__(self) -> str:
        return f"{self.email} · {self.merchant} ({self.get_role_display()})"

    @property
    def is_open(self) -> bool:
        """Whether its link still works."""
        return self.open_key is not None and self.expires_at > timezone.now()


class ApiKey(models.Model):
    """A service's key to one merchant. Only a hash is kept; the readable prefix tells keys apart."""

    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="api_keys", verbose_name=_("merchant"))
    name = models.CharField(_("name"), max_length=100)
    prefix = models.CharField(_("prefix"), max_length=12, unique=True, editable=False)
    key_hash = models.CharField(max_length=64, unique=True, editable=False)
    read_only = models.BooleanField(_("read only"), default=False)
    created_by = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("created by")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @staticmethod
    def generate() -> tuple[str, str, str]:
        """Return a new key as (whole key, prefix, SHA-256): `otj_` + 6 readable characters + `_` + 40 secret ones."""
        prefix = f"otj_{secrets.token_hex(3)}"
        key = f"{prefix}_{secrets.token_hex(20)}"
        return key, prefix, ApiKey.hash(key)

    @staticmethod
    def hash(key: str) -> str:
        """Hash a key. Plain SHA-256 is enough: a key holds 160 random bits, so there is nothing to guess."""
        return hashlib.sha256(key.encode()).hexdigest()


class Operation(models.Model):
    """A long job with progress that people can watch, pause and cancel."""

    class State(models.TextChoices):
        """Where the job is."""

        QUEUED = "queued", _("waiting")
        RUNNING = "running", _("running")
        PAUSED = "paused", _("paused")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    public_id = models.CharField(
        _("number"), max_length=PUBLIC_ID_LENGTH, unique=True, default=public_id, editable=False
    )
    kind = models.CharField(_("kind"), max_length=40)
    merchant = models.ForeignKey(
        Merchant, models.CASCADE, null=True, blank=True, related_name="operations", verbose_name=_("merchant")
    )
    created_by = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("created by")
    )
    impersonator = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("impersonator")
    )
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.QUEUED)
    parameters = models.JSONField(_("parameters"), default=dict)
    total = models.PositiveIntegerField(_("total"), default=0)
    done = models.PositiveIntegerField(_("done"), default=0)
    failed = models.PositiveIntegerField(_("failed"), default=0)
    error = models.TextField(_("error"), blank=True)
    result_file = models.CharField(max_length=200, blank=True)
    # What it does while it has not ended, NULL after: a unique index that lets the same be open only once.
    open_key = models.CharField(max_length=80, null=True, unique=True, editable=False)  # noqa: DJ001 - NULLs don't collide
    # For work that one process does as a whole: the process with the token renews the lease, by the database's clock.
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0, editable=False)
    lease_token = models.CharField(max_length=32, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("operation")
        verbose_name_plural = _("operations")
        ordering = ("-id",)
        indexes = (models.Index(fields=("merchant", "-id"), name="operation_merchant"),)
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=("queued", "running", "paused", "done", "failed", "cancelled")),
                name="operation_state",
            ),
            models.CheckConstraint(
                condition=Q(state__in=("queued", "running", "paused")) | Q(open_key=None), name="operation_open_key"
            ),
        )

    def __str__(self) -> str:
        kind, name = operation_label(self.kind), self.parameters.get("name", "")
        return f"{kind}: {name}" if name else kind


class AuditEvent(models.Model):
    """Who did what to which thing, when and by which channel. Append-only."""

    merchant = models.ForeignKey(
        Merchant, models.CASCADE, null=True, blank=True, related_name="audit_events", verbose_name=_("merchant")
    )
    user = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("user"))
    api_key = models.ForeignKey(ApiKey, models.SET_NULL, null=True, blank=True, related_name="+")
    impersonator = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("impersonator")
    )
    channel = models.CharField(_("channel"), max_length=10, choices=Channel.choices)
    action = models.CharField(_("action"), max_length=60)
    subject_type = models.CharField(_("subject"), max_length=40)
    subject_id = models.CharField(max_length=40)
    details = models.JSONField(_("details"), default=dict)
    created_at = models.DateTimeField(_("time"), auto_now_add=True)

    class Meta:
        verbose_name = _("audit event")
        verbose_name_plural = _("audit events")
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("merchant", "-id"), name="audit_merchant"),
            models.Index(
                fields=("merchant", "action", "created_at", "user"), name="audit_work"
            ),  # counted without rows
            models.Index(fields=("subject_type", "subject_id", "-id"), name="audit_subject"),
            models.Index(fields=("action", "created_at"), name="audit_action"),  # of all merchants
            models.Index(fields=("created_at",), name="audit_created_at"),
            models.Index(fields=("channel",), name="audit_channel"),
        )

    def __str__(self) -> str:
        return action_label(self.action)

    @property
    def author(self) -> str:
        """Whom pages name: the person, who worked as them if somebody did, the key, or the system."""
        if self.user is not None:
            return in_name_of(self.user, self.impersonator)
        return self.api_key.name if self.api_key is not None else str(_("system"))
