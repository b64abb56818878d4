"""The channels through which people, keys and commands act."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Channel(models.TextChoices):
    """The interface through which somebody acted; the audit trail and decisions keep it."""

    PORTAL = "portal", _("website")
    ADMIN = "admin", _("admin")
    API = "api", _("API")
    COMMAND = "command", _("command")
