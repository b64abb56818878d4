"""Mappings of the taxonomy to those of marketplaces: written as versions, read from and written to CSV files."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.actors import Actor, system
from accounts.services.audit import record
from catalog.models import CATEGORY, Attribute, AttributeValue, MappingEntry, TaxonomyMapping
from catalog.product_columns import CellReader
from catalog.selectors import Taxonomy
from core.db import atomic
from core.errors import Forbidden, Invalid
from core.multipart import lenient_text
from core.spreadsheets import plain, safe
from core.text import has_control_characters, tidied

HEADS = ("value", "with", "code", "name")
MOST_BYTES = 1_000_000
_MOST_ENTRIES = 5_000
_MOST_SAID = 10  # lines that a refusal names
_DELIMITERS = ",;\t"
_LENGTHS = {"target_code": 100, "target_name": 300}


@dataclass(frozen=True)
class Entry:
    """A line of a mapping: our value, maybe together with one of another attribute, and what it is called elsewhere."""

    value: AttributeValue
    other: AttributeValue | None
    code: str
    name: str

    @property
    def ids(self) -> tuple[int, int | None]:
        """Of the values."""
        return self.value.pk, None if self.other is None else self.other.pk


@atomic
def save_version(
    *,
    actor: Actor,
    code: str,
    name: str,
    attribute: Attribute,
    entries: Sequence[Entry],
    source: str = "",
) -> TaxonomyMapping:
    """Store a mapping's next version, or return the newest one if nothing differs from it.

    Args:
        actor: an administrator, or the system.
        code: of a mapping that there is, or of a new one.
        name: what merchants choose.
        attribute: whose values are mapped.
        entries: all of them.
        source: where the codes are from, and what is not known of them.

    Raises:
        Forbidden: the actor may not change mappings.
        Invalid: `mapping_pair_twice`, `mapping_too_long`.
    """
    require_keeper(actor)
    _check(entries)
    versions = list(TaxonomyMapping.objects.select_for_update().filter(code=code).order_by("-version"))
    last = versions[0] if versions else None
    if last is not None and _is_same(last, name, attribute, source, entries):
        return last
    mapping = TaxonomyMapping.objects.create(
        code=code,
        version=last.version + 1 if last is not None else 1,
        name=name,
        attribute=attribute,
        source=source,
        offered=last.offered if last is not None else True,
        created_by=actor.user,
    )
    MappingEntry.objects.bulk_create(
        MappingEntry(
            mapping=mapping,
            value=entry.value,
            other=entry.other,
            pair=MappingEntry.pair_of(*entry.ids),
            target_code=entry.code,
            target_name=entry.name,
        )
        for entry in entries
    )
    _audit(actor, mapping, "save", entries=len(entries))
    return mapping


@atomic
def offer(*, actor: Actor, mapping: TaxonomyMapping, offered: bool) -> None:
    """Offer a mapping's newest version to merchants, or no longer. Raises Forbidden."""
    require_keeper(actor)
    if TaxonomyMapping.objects.filter(pk=mapping.pk, offered=not offered).update(offered=offered):
        mapping.offered = offered
        _audit(actor, mapping, "offer" if offered else "withdraw")


def require_keeper(actor: Actor) -> None:
    """Raise Forbidden unless the actor may change mappings."""
    if not actor.is_system and (actor.user is None or not actor.user.has_perm("catalog.change_taxonomymapping")):
        raise Forbidden("forbidden", gettext_lazy("You may not change mappings."))


def _audit(actor: Actor, mapping: TaxonomyMapping, what: str, **details: object) -> None:
    record(
        actor=actor,
        action=f"mapping.{what}",
        subject_type="taxonomy_mapping",
        subject_id=str(mapping.pk),
        merchant_id=None,
        mapping=mapping.code,
        version=mapping.version,
        **details,
    )


def _check(entries: Iterable[Entry]) -> None:
    seen = set()
    for entry in entries:
        if entry.ids in seen:
            raise Invalid("mapping_pair_twice", _("%(value)s is mapped twice."), {"value": entry.value.name})
        seen.add(entry.ids)
        for text, limit in zip((entry.code, entry.name), _LENGTHS.values(), strict=True):
            if len(text) > limit:
                raise Invalid("mapping_too_long", _("%(text)s is too long."), {"text": Truncator(text).chars(40)})


def _is_same(last: TaxonomyMapping, name: str, attribute: Attribute, source: str, entries: Iterable[Entry]) -> bool:
    if (last.name, last.attribute_id, last.source) != (name, attribute.pk, source):
        return False
    return {(*entry.ids, entry.code, entry.name) for entry in entries} == set(
        last.entries.values_list("value_id", "other_id", "target_code", "target_name")
    )


def entries_of(mapping: TaxonomyMapping) -> list[Entry]:
    """Return a version's entries; two queries."""
    rows = mapping.entries.select_related("value__attribute", "value__parent", "other__attribute")
    return [Entry(row.value, row.other, row.target_code, row.target_name) for row in rows]


def write_csv(mapping: TaxonomyMapping) -> str:
    """Write a version as a CSV file, with codes for our values."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(HEADS)
    for entry in entries_of(mapping):
        other = f"{entry.other.attribute.code}:{entry.other.code}" if entry.other is not None else ""
        writer.writerow([safe(cell) for cell in (entry.value.code, other, entry.code, entry.name)])
    return text.getvalue()


def read_csv(raw: bytes, attribute: Attribute, taxonomy: Taxonomy) -> list[Entry]:
    """Read a CSV file as `write_csv` writes it, or a spreadsheet program did; values in any wording.

    Raises:
        Invalid: `mapping_too_large`, `mapping_without_columns`, `mapping_unreadable` with the lines that are wrong.
    """
    if len(raw) > MOST_BYTES:
        raise Invalid("mapping_too_large", _("The file is larger than a mapping can be."))
    text = lenient_text(raw).removeprefix("\ufeff").replace("\0", "")
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    try:
        heads = [head.strip().lower() for head in next(lines, [])]
        if not {"value", "code"} <= set(heads):
            message = _("The first line must name the columns %(heads)s.")
            raise Invalid("mapping_without_columns", message, {"heads": ", ".join(HEADS)})
        rows = [(lines.line_num, dict(zip(heads, map(plain, line), strict=False))) for line in lines if any(line)]
    except csv.Error as error:
        raise Invalid("mapping_unreadable", _("This is not a CSV file.")) from error
    if len(rows) > _MOST_ENTRIES:
        raise Invalid("mapping_too_large", _("The file is larger than a mapping can be."))
    return _read(rows, attribute, taxonomy)


def _delimiter(text: str) -> str:
    first = text.partition("\n")[0]
    return max(_DELIMITERS, key=first.count)


def _read(rows: Iterable[tuple[int, dict[str, str]]], attribute: Attribute, taxonomy: Taxonomy) -> list[Entry]:
    reader = CellReader(taxonomy)
    entries, wrong = [], []
    for number, row in rows:
        try:
            entries.append(_entry(row, attribute, taxonomy, reader))
        except Invalid as refused:
            wrong.append(_("Line %(number)d: %(why)s") % {"number": number, "why": refused.message})
    if wrong:
        said = "\n".join(wrong[:_MOST_SAID])
        more = _("and %(count)d more lines") % {"count": len(wrong) - _MOST_SAID} if len(wrong) > _MOST_SAID else ""
        raise Invalid("mapping_unreadable", "%(lines)s", {"lines": f"{said}\n{more}".strip()})
    return entries


def _entry(row: dict[str, str], attribute: Attribute, taxonomy: Taxonomy, reader: CellReader) -> Entry:
    code, name = (tidied(row.get(head, "")) for head in ("code", "name"))
    if not code or has_control_characters(code + name):
        raise Invalid("mapping_without_code", _("Their code is missing."))
    value = _value(row.get("value", ""), attribute.code, reader)
    said = row.get("with", "").strip()
    return Entry(value, _other(said, attribute, taxonomy, reader) if said else None, code, name)


def _value(cell: str, attribute: str, reader: CellReader) -> AttributeValue:
    value = reader.value(attribute, cell)
    if not isinstance(value, AttributeValue):
        raise Invalid("mapping_without_value", _("Our value is missing."))
    return value


def _other(cell: str, attribute: Attribute, taxonomy: Taxonomy, reader: CellReader) -> AttributeValue:
    """Read `material:leather`."""
    code, _colon, word = cell.partition(":")
    if code not in taxonomy.attributes or code == attribute.code:
        raise Invalid(
            "mapping_other", _("Write the other attribute's code, a colon and its value, as in material:leather.")
        )
    return _value(word, code, reader)


@dataclass(frozen=True)
class Shipped:
    """A mapping that the project brings as an example; docs/export.md says what of it could be verified."""

    code: str
    name: str
    file: str
    source: str


_FOLDER = Path(__file__).resolve().parent.parent / "mappings"
SHIPPED = (
    Shipped(
        "google_apparel",
        "Google product category",
        "google_apparel.csv",
        "Google product taxonomy, apparel part: google.com/basepages/producttype/taxonomy-with-ids.en-US.txt",
    ),
    Shipped(
        "naver_women",
        "네이버 쇼핑 카테고리 (여성의류)",
        "naver_women.csv",
        "Naver Shopping, 패션의류 > 여성의류. An example from public sources, not from Naver: check the codes in the"
        " seller centre before you rely on them. Bra tops and zip-ups have no entry.",
    ),
)


def load_shipped() -> int:
    """Add the shipped mappings that are not there yet in any version; returns how many. What there is stays."""
    taxonomy = Taxonomy.load()
    added = 0
    for shipped in SHIPPED:
        attribute = taxonomy.attributes.get(CATEGORY)
        if attribute is None or TaxonomyMapping.objects.filter(code=shipped.code).exists():
            continue
        rows = csv.DictReader(io.StringIO((_FOLDER / shipped.file).read_text(encoding="utf-8")))
        reader = CellReader(taxonomy)
        entries: dict[tuple[int, int | None], Entry] = {}
        for row in rows:
            try:
                entry = _entry(row, attribute, taxonomy, reader)
            except Invalid:  # an administrator has changed the taxonomy
                continue
            entries.setdefault(entry.ids, entry)
        save_version(
            actor=system(),
            code=shipped.code,
            name=shipped.name,
            attribute=attribute,
            entries=list(entries.values()),
            source=shipped.source,
        )
        added += 1
    return added
