"""People who log in."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

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
