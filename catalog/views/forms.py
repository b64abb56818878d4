"""What the portal's pages send."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from catalog.models import CATEGORY, Product
from catalog.selectors import Taxonomy, values_called
from catalog.services import LEAVE_OPEN


class ProductFilterForm(forms.Form):
    """The list's search and filters; what it does not understand it leaves out."""

    q = forms.CharField(
        label=_("Search"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": _("Name or SKU")}),
    )
    status = forms.ChoiceField(label=_("Status"), required=False, choices=[])
    category = forms.ChoiceField(label=_("Category"), required=False, choices=[])

    def __init__(self, data: Any, categories: dict[str, list[tuple[str, str]]]) -> None:
        """`categories`: (code, name) pairs by the name of their top-level category."""
        super().__init__(data)
        self.fields["status"].choices = [("", _("all statuses")), *Product.Status.choices]  # type: ignore[attr-defined]
        self.fields["category"].choices = [  # type: ignore[attr-defined]
            ("", _("all categories")),
            *categories.items(),
        ]

    def apply(self, products: QuerySet[Product]) -> QuerySet[Product]:
        """Narrow the products down; archived ones show only when they are asked for."""
        self.is_valid()
        q, status, category = (self.cleaned_data.get(name, "") for name in ("q", "status", "category"))
        products = products.filter(status=status) if status else products.exclude(status=Product.Status.ARCHIVED)
        if q:
            products = products.filter(Q(name__icontains=q) | Q(sku__icontains=q))
        if category:
            products = products.filter(attributes__value__in=values_called(CATEGORY, category))
        return products


class ReviewForm(forms.Form):
    """What a person says of a product: the version they saw, which garment it is, and a value for each attribute.

    Beside each value's control the page says what was selected in it when the person got it: leaving open what was
    found open says nothing, and a model may have spoken in the meantime.
    """

    version = forms.IntegerField()
    top_category = forms.CharField(required=False)

    def __init__(self, data: Any, taxonomy: Taxonomy) -> None:
        super().__init__(data)
        self.taxonomy = taxonomy
        for code in taxonomy.attributes:
            self.fields[self.field_name(code)] = forms.CharField(required=False)

    @staticmethod
    def field_name(attribute: str) -> str:
        """The control's name on the page."""
        return f"value-{attribute}"

    @staticmethod
    def shown_name(attribute: str) -> str:
        """The name under which the page says what it selected."""
        return f"shown-{attribute}"

    @property
    def garment(self) -> str | None:
        """The chosen garment's top-level category, '' for "none of these", None where nothing was chosen.

        A person who leaves a product at "none of these" that is `elsewhere` by its category has chosen nothing.
        """
        code: str = self.cleaned_data.get("top_category", "")
        return code if "top_category" in self.data and code != self.data.get("elsewhere") else None

    @property
    def values(self) -> dict[str, str]:
        """The chosen codes by attribute, without attributes that the page did not send."""
        return {
            code: self.cleaned_data.get(self.field_name(code), "")
            for code in self.taxonomy.attributes
            if self.field_name(code) in self.data
        }

    @property
    def answers(self) -> dict[str, str]:
        """The same without what is no answer: trousers' sleeves, and what was open on the page and still is."""
        values = self.values
        chosen = self.taxonomy.resolve(CATEGORY, values.get(CATEGORY, ""))
        level = (chosen.parent or chosen) if chosen else self.taxonomy.resolve(CATEGORY, self.garment or "")
        return {
            code: value
            for code, value in values.items()
            if self.taxonomy.applies(code, level) and not self._is_still_open(code, value)
        }

    def _is_still_open(self, code: str, value: str) -> bool:
        return value == LEAVE_OPEN and self.data.get(self.shown_name(code)) == LEAVE_OPEN
