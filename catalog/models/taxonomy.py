"""The taxonomy: attributes, and the values that they can have."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

CATEGORY = "category"
SLEEVE_LENGTH = "sleeve_length"
MATERIAL = "material"


class Named(models.Model):
    """Something with a Korean and an English name."""

    name_ko = models.CharField(_("Korean name"), max_length=60)
    name_en = models.CharField(_("English name"), max_length=60)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The name in the active language."""
        return self.name_en if (get_language() or "").startswith("en") else self.name_ko


class Attribute(Named):
    """Something that a garment has one value of: its category, material, sleeve length, or whatever is added."""

    code = models.SlugField(_("code"), max_length=40, unique=True)
    applies_to: models.ManyToManyField[AttributeValue, Any] = models.ManyToManyField(
        "AttributeValue",
        verbose_name=_("applies to"),
        blank=True,
        related_name="+",
        limit_choices_to={"attribute__code": CATEGORY, "parent": None},
        help_text=_("Top-level categories that have this attribute; none chosen means all."),
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("attribute")
        verbose_name_plural = _("attributes")
        ordering = ("position", "id")


class AttributeValue(Named):
    """One value of an attribute. A category has two levels; only leaves are predicted or decided."""

    attribute = models.ForeignKey(Attribute, models.PROTECT, related_name="values", verbose_name=_("attribute"))
    code = models.CharField(_("code"), max_length=40)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name=_("top-level category")
    )
    aliases = models.JSONField(_("aliases"), default=list, blank=True, help_text=_("Class names in models' files."))
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    active = models.BooleanField(_("active"), default=True)
    merged_into = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("merged into")
    )

    class Meta:
        verbose_name = _("value")
        verbose_name_plural = _("values")
        ordering = ("attribute", "position", "id")
        constraints = (models.UniqueConstraint(fields=("attribute", "code"), name="value_code"),)

    @property
    def today(self) -> AttributeValue:
        """What it was merged into in the end, else itself. Values that were merged in a circle stay what they are."""
        passed, value = {self.pk}, self
        while value.merged_into is not None:
            if value.merged_into_id in passed:
                return self
            value = value.merged_into
            passed.add(value.pk)
        return value
