"""Mappings of the taxonomy to those of marketplaces, kept by administrators and chosen by merchants at export."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import OuterRef, Subquery
from django.utils.translation import gettext_lazy as _

from catalog.models.taxonomy import Attribute, AttributeValue


class TaxonomyMappingQuerySet(models.QuerySet["TaxonomyMapping"]):
    """Versions of mappings."""

    def newest(self) -> TaxonomyMappingQuerySet:
        """The newest version of each mapping."""
        same = TaxonomyMapping.objects.filter(code=OuterRef("code")).order_by("-version")
        return self.filter(pk=Subquery(same.values("pk")[:1])).order_by("name", "code")

    def offered(self) -> TaxonomyMappingQuerySet:
        """What merchants can choose at export."""
        return self.newest().filter(offered=True)


class TaxonomyMapping(models.Model):
    """One version of a mapping. Its entries never change: changing one writes the next version.

    So an export says by code and version how it was made. Only `offered` may change.
    """

    code = models.SlugField(_("code"), max_length=40)
    version = models.PositiveIntegerField(_("version"), editable=False)
    name = models.CharField(_("name"), max_length=80, help_text=_("As merchants choose it at export."))
    attribute = models.ForeignKey(
        Attribute,
        models.PROTECT,
        related_name="+",
        verbose_name=_("attribute"),
        help_text=_("Whose values are mapped; an entry may ask for a value of another one beside it."),
    )
    source = models.TextField(_("where it is from"), blank=True)
    offered = models.BooleanField(_("offered to merchants"), default=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("created by")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = TaxonomyMappingQuerySet.as_manager()

    class Meta:
        verbose_name = _("mapping")
        verbose_name_plural = _("mappings")
        ordering = ("name", "code", "-version")
        constraints = (models.UniqueConstraint(fields=("code", "version"), name="mapping_version"),)

    def __str__(self) -> str:
        return f"{self.name} ({self.version})"


class MappingEntry(models.Model):
    """What one of our values, or a pair of values, is called elsewhere. A top-level category stands for its values."""

    mapping = models.ForeignKey(TaxonomyMapping, models.CASCADE, related_name="entries", verbose_name=_("mapping"))
    value = models.ForeignKey(AttributeValue, models.PROTECT, related_name="+", verbose_name=_("value"))
    other = models.ForeignKey(
        AttributeValue, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("together with")
    )
    pair = models.CharField(max_length=44, editable=False)  # both ids: NULLs of `other` would not collide
    target_code = models.CharField(_("their code"), max_length=100)
    target_name = models.CharField(_("their name"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("entry")
        verbose_name_plural = _("entries")
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=("mapping", "pair"), name="mapping_pair_once"),)

    def __str__(self) -> str:
        return f"{self.value_id}: {self.target_code}"

    @staticmethod
    def pair_of(value_id: int, other_id: int | None) -> str:
        """What `pair` holds for an entry of these values."""
        return f"{value_id}+{other_id or ''}"
