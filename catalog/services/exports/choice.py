"""Which products are exported, and how they are written; as an address says it, or an operation keeps it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import get_language

from catalog.models import Product, TaxonomyMapping
from catalog.product_columns import Wording
from catalog.product_filter import NEWEST, ProductFilter
from catalog.selectors import Taxonomy

MOST_IDS = 2_000  # products chosen one by one
_MOST_LAST = 18  # digits that every database holds


class Format(StrEnum):
    """What kind of file."""

    CSV = "csv"
    XLSX = "xlsx"
    ZIP = "zip"


@dataclass(frozen=True)
class ExportChoice:
    """An export that somebody asks for.

    Args:
        format: of the file.
        wording: of heads and values.
        query: a filter as `ProductFilter.query` writes it.
        ids: public ids of products that were chosen one by one, instead of all that the filter matches.
        mapping: id of a version of a mapping; None for none.
        images: whether a ZIP holds the products' images.
        sheet: what a ZIP's table is, CSV or XLSX.
        last: id of the newest product that is exported; 0 for no limit.
    """

    format: Format = Format.CSV
    wording: Wording = Wording.KOREAN
    query: str = ""
    ids: tuple[str, ...] = ()
    mapping: int | None = None
    images: bool = False
    sheet: Format = Format.XLSX
    last: int = 0

    @classmethod
    def parse(cls, data: QueryDict, file_format: Format, taxonomy: Taxonomy) -> ExportChoice:
        """Read an address or a form. What is not understood is left out, as in a list's address; one query or none."""
        wordings: Mapping[str, Wording] = {wording.value: wording for wording in Wording}
        language = Wording.ENGLISH if (get_language() or "").startswith("en") else Wording.KOREAN
        chosen = data.get("mapping", "")
        mapping = TaxonomyMapping.objects.offered().filter(code=chosen).first() if chosen else None
        last = data.get("last", "")
        return cls(
            format=file_format,
            wording=wordings.get(data.get("words", ""), language),
            query=ProductFilter.parse(data, taxonomy).query(),
            ids=tuple(dict.fromkeys(data.getlist("product")))[:MOST_IDS] if data.get("all") != "1" else (),
            mapping=mapping.pk if mapping is not None else None,
            images=data.get("images") == "1" and file_format is Format.ZIP,
            sheet=Format.CSV if data.get("sheet") == "csv" else Format.XLSX,
            last=int(last) if last.isdecimal() and len(last) <= _MOST_LAST else 0,
        )

    @classmethod
    def of_parameters(cls, parameters: Mapping[str, Any]) -> ExportChoice:
        """Read what `parameters` wrote."""
        return cls(
            format=Format(parameters["format"]),
            wording=Wording(parameters["wording"]),
            query=parameters["query"],
            ids=tuple(parameters["ids"]),
            mapping=parameters["mapping"],
            images=parameters["images"],
            sheet=Format(parameters["sheet"]),
            last=parameters["last"],
        )

    def parameters(self) -> dict[str, Any]:
        """Write it as JSON, for an operation."""
        return {
            "format": self.format.value,
            "wording": self.wording.value,
            "query": self.query,
            "ids": list(self.ids),
            "mapping": self.mapping,
            "images": self.images,
            "sheet": self.sheet.value,
            "last": self.last,
        }

    def filter(self, taxonomy: Taxonomy) -> ProductFilter:
        """The filter, in an order in which no product moves while others are read: none is passed by or met twice."""
        chosen = ProductFilter.parse(QueryDict(self.query), taxonomy)
        return replace(chosen, sort="oldest" if chosen.sort == "oldest" else NEWEST)

    def narrowed(self, products: QuerySet[Product]) -> QuerySet[Product]:
        """Leave out products that are newer than `last`, and those that were not chosen one by one."""
        if self.ids:
            products = products.filter(public_id__in=self.ids)
        return products.filter(pk__lte=self.last) if self.last else products

    @property
    def file_name(self) -> str:
        """What the file is downloaded as."""
        return f"products-{timezone.localdate():%Y-%m-%d}.{self.format.value}"

    def own_pairs(self) -> Iterable[tuple[str, str]]:
        """What of an address is not the filter's."""
        yield "words", self.wording.value
        yield from (("product", one) for one in self.ids)
