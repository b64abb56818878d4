"""API keys."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models.merchants import Merchant
from accounts.models.users import User

PREFIX_LENGTH = 12


class Scope(models.TextChoices):
    """What a key may do at the API. None includes another one."""

    READ = "read", _("read")
    WRITE = "write", pgettext_lazy("scope", "change")
    CLASSIFY = "classify", _("classify without storing")


class ApiKey(models.Model):
    """A service's key to one merchant. Only hashes are kept; the readable prefix names the key in every secret of it.

    Rotation gives it another secret. The one before stays good until `previous_until`, so that programs can be changed
    over one by one.
    """

    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="api_keys", verbose_name=_("merchant"))
    name = models.CharField(_("name"), max_length=100)
    prefix = models.CharField(_("prefix"), max_length=PREFIX_LENGTH, unique=True, editable=False)
    key_hash = models.CharField(max_length=64, unique=True, editable=False)
    may_read = models.BooleanField(_("reads"), default=True)
    may_write = models.BooleanField(_("changes"), default=True)
    may_classify = models.BooleanField(_("classifies without storing"), default=True)
    created_by = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("created by")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    expires_at = models.DateTimeField(_("good until"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)
    rotated_at = models.DateTimeField(_("secret replaced"), null=True, blank=True, editable=False)
    previous_hash = models.CharField(max_length=64, blank=True, editable=False)
    previous_until = models.DateTimeField(_("old secret good until"), null=True, blank=True, editable=False)
    previous_used_at = models.DateTimeField(_("old secret last used"), null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def scopes(self) -> list[Scope]:
        """What it may do, in the order of `Scope`."""
        granted = {Scope.READ: self.may_read, Scope.WRITE: self.may_write, Scope.CLASSIFY: self.may_classify}
        return [scope for scope, may in granted.items() if may]

    def may(self, scope: str) -> bool:
        """Whether it has the scope."""
        return scope in self.scopes

    @property
    def is_expired(self) -> bool:
        """Whether its time is over."""
        return self.expires_at is not None and self.expires_at <= timezone.now()

    @property
    def is_valid(self) -> bool:
        """Whether it opens anything, as far as the key alone says."""
        return self.revoked_at is None and not self.is_expired

    @property
    def rotation(self) -> str:
        """Which rotation it is at: another text after each."""
        return self.rotated_at.isoformat() if self.rotated_at is not None else "0"

    @property
    def old_secret_until(self) -> datetime | None:
        """Until when the secret before the last rotation opens it too; None if it does not."""
        until = self.previous_until
        return until if until is not None and until > timezone.now() and self.is_valid else None

    def has_secret(self, secret: str) -> bool:
        """Whether this is its secret, or the one before while that one is good."""
        digest = self.hash(secret)
        return hmac.compare_digest(digest, self.key_hash) or self.is_old_secret(secret)

    def is_old_secret(self, secret: str) -> bool:
        """Whether this is the secret from before the last rotation, and still good."""
        until = self.previous_until
        if not self.previous_hash or until is None or until <= timezone.now():
            return False
        return hmac.compare_digest(self.hash(secret), self.previous_hash)

    @staticmethod
    def generate(prefix: str = "") -> tuple[str, str, str]:
        """Return a new secret as (whole secret, prefix, SHA-256), of a new key or of the one with that prefix.

        It is `otj_` + 6 readable characters + `_` + 40 secret ones.
        """
        prefix = prefix or f"otj_{secrets.token_hex(3)}"
        key = f"{prefix}_{secrets.token_hex(20)}"
        return key, prefix, ApiKey.hash(key)

    @staticmethod
    def prefix_of(secret: str) -> str:
        """Return the part of a secret that is not secret, '' if it does not look like one."""
        prefix = secret.rpartition("_")[0]
        return prefix if len(prefix) <= PREFIX_LENGTH else ""

    @staticmethod
    def hash(key: str) -> str:
        """Hash a key. Plain SHA-256 is enough: a key holds 160 random bits, so there is nothing to guess."""
        return hashlib.sha256(key.encode()).hexdigest()
