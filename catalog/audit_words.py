"""What the catalogue's codes in the audit trail are called: attributes, values, statuses and garments."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from catalog.models import CATEGORY, Product
from catalog.selectors import Taxonomy

_SPECIAL = {"-": "not_applicable", "~": "open", "": "open"}


class CatalogueWords:
    """Names things by today's taxonomy, which is read when the first of them is asked for."""

    def __init__(self) -> None:
        self._taxonomy: Taxonomy | None = None

    @property
    def taxonomy(self) -> Taxonomy:
        """Today's taxonomy, read once."""
        if self._taxonomy is None:
            self._taxonomy = Taxonomy.load()
        return self._taxonomy

    def __call__(self, key: str, value: Any) -> tuple[str, str] | None:
        """Return label and text; see `accounts.audit_details.Naming`."""
        if key == "status":
            return _("status"), str(dict(Product.Status.choices).get(value, value or ""))
        if key == "top_category":
            return _("garment"), self._value(CATEGORY, value)
        if key == "top_category_source":
            return _("who chose the garment"), str(dict(Product.TopCategorySource.choices).get(value, ""))
        if value is not None and not isinstance(value, str):
            return None
        if key == "" and isinstance(value, str) and value in self.taxonomy.attributes:
            return "", self.taxonomy.attributes[value].name
        if key == "attribute" and value in self.taxonomy.attributes:
            return _("attribute"), self.taxonomy.attributes[value].name
        if key in self.taxonomy.attributes:
            return self.taxonomy.attributes[key].name, self._value(key, value)
        return None

    def _value(self, attribute: str, code: Any) -> str:
        special = _SPECIAL.get(code if code is not None else "")
        if special == "not_applicable":
            return _("not applicable")
        if special == "open":
            return _("open")
        found = self.taxonomy.today(attribute, str(code))
        return found.name if found is not None else str(code)
