"""What the portal's pages send."""

from __future__ import annotations

from typing import Any

from django import forms

from catalog.models import CATEGORY, Attribute
from catalog.selectors import Taxonomy
from catalog.services import LEAVE_OPEN


class ReviewForm(forms.Form):
    """What a person says of a product: the version they saw, its name and SKU, which garment it is, and each value.

    Beside each value's control the page says what was selected in it when the person got it: leaving open what was
    found open says nothing, and a model may have spoken in the meantime. It also says which value a model was unsure
    of: that one is no answer as long as the person has not confirmed it.
    """

    version = forms.IntegerField()
    top_category = forms.CharField(required=False)
    name = forms.CharField(required=False, strip=False)
    sku = forms.CharField(required=False, strip=False)

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

    @staticmethod
    def doubtful_name(attribute: str) -> str:
        """The name under which the page says which value it showed as one that a model is unsure of."""
        return f"doubtful-{attribute}"

    @staticmethod
    def looked_name(attribute: str) -> str:
        """The name of the box by which a person confirms that value; it sends the value."""
        return f"looked-{attribute}"

    def typed(self, field: str) -> str | None:
        """Return the name or the SKU as it was typed; None where the page did not ask for it."""
        text: str = self.cleaned_data.get(field, "")
        return text if field in self.data else None

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
        """The same without what is no answer: trousers' sleeves, what is open as it was, and what was not confirmed."""
        return {
            code: value
            for code, value in self._applicable.items()
            if not self._is_still_open(code, value) and not self._is_unconfirmed(code, value)
        }

    @property
    def unconfirmed(self) -> list[Attribute]:
        """The attributes whose value a model was unsure of, and that the person left at it without confirming it."""
        return [
            self.taxonomy.attributes[code]
            for code, value in self._applicable.items()
            if self._is_unconfirmed(code, value)
        ]

    @property
    def confirmed(self) -> list[str]:
        """The codes of the attributes whose doubtful value the person confirmed."""
        return [code for code, value in self.values.items() if value and self.data.get(self.looked_name(code)) == value]

    @property
    def _applicable(self) -> dict[str, str]:
        values = self.values
        chosen = self.taxonomy.resolve(CATEGORY, values.get(CATEGORY, ""))
        level = (chosen.parent or chosen) if chosen else self.taxonomy.resolve(CATEGORY, self.garment or "")
        return {code: value for code, value in values.items() if self.taxonomy.applies(code, level)}

    def _is_still_open(self, code: str, value: str) -> bool:
        return value == LEAVE_OPEN and self.data.get(self.shown_name(code)) == LEAVE_OPEN

    def _is_unconfirmed(self, code: str, value: str) -> bool:
        doubtful = value != LEAVE_OPEN and self.data.get(self.doubtful_name(code)) == value
        return doubtful and self.data.get(self.looked_name(code)) != value
