"""Merchants, what is counted of them, and who belongs to them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from accounts.models.users import User
from core.ids import PUBLIC_ID_LENGTH, public_id


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
        default=False,  # a consent is given, not taken
        help_text=_("Off: these photos and decisions are never exported as a data set."),
    )
    daily_images = models.PositiveIntegerField(
        _("photos a day through the API"), null=True, blank=True, help_text=_("Empty: as the site's settings say.")
    )
    daily_megabytes = models.PositiveIntegerField(
        _("megabytes a day through the API"), null=True, blank=True, help_text=_("Empty: as the site's settings say.")
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
    open_key = models.CharField(max_length=90, null=True, unique=True, editable=False)  # noqa: DJ001 - unique, and only NULLs don't collide
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
