"""The rows of the list of products, and the values that its filters and editors offer, as HTML.

Written here and not in templates because there are so many of them: as templates the 350 cells of a page take longer
than all of its queries.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from html import escape

from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.certainty import CERTAINTY, percent
from catalog.display import moment, status_shape
from catalog.models import Product, ProductAttribute
from catalog.product_filter import OPEN
from catalog.views.list_rows import CHANGED, CREATED, SKU, STATUS, Cell, Row
from catalog.views.product_fields import Group

_NOTHING = SafeString("")
_NUMBER = "0" * 20


def _html(markup: str, *parts: object) -> SafeString:
    """Put parts into markup, escaped unless they are markup themselves: format_html, but four times as quick."""
    escaped = [part if type(part) is SafeString else _escaped(str(part)) for part in parts]
    return SafeString(markup.format(*escaped))  # nosec B703 - what is put in is escaped


@lru_cache(2_000)
def _escaped(text: str) -> str:
    """Most texts are in a row several times, as names and numbers of products, or in all of them."""
    return escape(text)


def _joined(markup: str, entries: Iterable[Sequence[object]]) -> SafeString:
    return SafeString("".join(_html(markup, *parts) for parts in entries))  # nosec B703 - of markup


class RowWriter:
    """Writes the rows of a page in the active language."""

    def __init__(self, columns: Sequence[str], *, editable: bool) -> None:
        """`columns`: their names in order. `editable`: whether the person may change products."""
        self.columns = columns
        self.editable = editable
        self.statuses = {
            status.value: _html(
                '<span class="chip status" data-status="{}"><span aria-hidden="true">{}</span> {}</span>',
                status.value, status_shape(status.value), status.label,
            )
            for status in Product.Status
        }  # fmt: skip
        self.states = {state.value: str(state.label) for state in ProductAttribute.State}
        self.unsure = next(str(word) for least, _code, word in reversed(CERTAINTY) if not least)
        self.texts = {
            "choose": _("Choose %(name)s"),
            "rename": _("Change the name of %(name)s"),
            "sku": _("SKU of %(name)s: %(sku)s. Change"),
            "value": _("%(attribute)s of %(name)s: %(value)s, %(state)s. Change"),
            "without name": _("Without a name"),
            "without photo": _("no photo"),
            "not applicable": _("not applicable"),
            "which": _("Which garment?"),
            "nothing": _("nothing found"),
        }
        self.addresses = {name: reverse(f"catalog:{name}", args=[_NUMBER]) for name in ("product", "edit_cell")} | {
            variant: reverse("catalog:media", args=[_NUMBER, variant]) for variant in ("small", "thumbnail")
        }

    def rows(self, rows: Iterable[Row], layout: str) -> SafeString:
        """All rows, as they follow each other."""
        write = self.card if layout == "grid" else self.line
        return SafeString("".join(write(row) for row in rows))  # nosec B703 - of markup

    def line(self, row: Row) -> SafeString:
        """A row of the table."""
        product = row.product
        pick = _html('<td class="pick">{}</td>', self._pick(product)) if self.editable else _NOTHING
        cells = {cell.attribute.code: cell for cell in row.cells}
        written = [_html('<td class="c-{}">{}</td>', one, self._column(product, one, cells)) for one in self.columns]
        return _html(
            '<tr {}>{}<td class="photo">{}</td><th class="name" scope="row">{}</th>{}</tr>',
            self._attributes(row), pick, self._photo(row, "thumb", "small", 80), self._name(row),
            SafeString("".join(written)),  # nosec B703 - of markup
        )  # fmt: skip

    def card(self, row: Row) -> SafeString:
        """A card of the grid."""
        product = row.product
        values = _joined("<li>{}</li>", ([self._value(product, cell)] for cell in row.cells if cell.applies))
        return _html(
            '<li class="card paper" {}>{}{}<div class="name">{}</div><p class="soft clip">{}</p>'
            '<ul class="values">{}</ul><p class="foot">{} {}</p></li>',
            self._attributes(row), self._pick(product) if self.editable else "",
            self._photo(row, "stage", "thumbnail", 400), self._name(row), product.sku or "–", values,
            self.statuses[product.status], self._time(product, CREATED),
        )  # fmt: skip

    def _address(self, name: str, public_id: str) -> str:
        return self.addresses[name].replace(_NUMBER, public_id)

    def _attributes(self, row: Row) -> SafeString:
        product = row.product
        edit = _html(' data-edit-url="{}"', self._address("edit_cell", product.public_id)) if self.editable else ""
        return _html(
            'id="row-{}" data-row="{}" data-mark="{}" data-version="{}" data-status="{}"{}',
            product.public_id, product.public_id, row.mark, product.version, product.status, edit,
        )  # fmt: skip

    def _pick(self, product: Product) -> SafeString:
        return _html(
            '<label class="tick"><input type="checkbox" name="product" value="{}" form="bulk" data-pick '
            'aria-label="{}"></label>',
            product.public_id, self.texts["choose"] % {"name": product},
        )  # fmt: skip

    def _photo(self, row: Row, name: str, variant: str, side: int) -> SafeString:
        if row.cover:
            more = _html('<span class="more">{}</span>', row.image_count) if row.image_count > 1 else _NOTHING
            image = _html(
                '<img src="{}" alt="" loading="lazy" decoding="async" width="{}" height="{}">{}',
                self._address(variant, row.cover), side, side, more,
            )  # fmt: skip
        else:
            image = _html('<span class="none">{}</span>', self.texts["without photo"])
        address = self._address("product", row.product.public_id)
        return _html('<a class="{}" href="{}" tabindex="-1" aria-hidden="true">{}</a>', name, address, image)

    def _name(self, row: Row) -> SafeString:
        product = row.product
        name = product.name or _html('<span class="unnamed">{}</span>', self.texts["without name"])
        pencil = _NOTHING
        if self._may_edit(product):
            pencil = _html(
                '<button type="button" class="pencil quiet" data-edit="name" data-value="{}" aria-label="{}">'
                '<span aria-hidden="true">✎</span></button>',
                product.name, self.texts["rename"] % {"name": product},
            )  # fmt: skip
        line = _html(
            '<span class="line"><a class="title" href="{}">{}</a>{}</span>',
            self._address("product", product.public_id), name, pencil,
        )  # fmt: skip
        return line + self._marks(row) if product.failed_images or product.unclear else line

    def _marks(self, row: Row) -> SafeString:
        """What asks for a person, under the name."""
        product, marks = row.product, []
        if failed := product.failed_images:
            text = ngettext("%(failed)d photo failed", "%(failed)d photos failed", failed) % {"failed": failed}
            marks.append(("chip alarm", f"✕ {text}"))
        if product.unclear == Product.Unclear.SEVERAL:
            marks.append(("chip doubt", f"{self.texts['which']} {' · '.join(row.garments)}"))
        elif row.nothing_found:
            marks.append(("chip doubt", self.texts["nothing"]))
        chips = _joined('<span class="{}">{}</span>', marks)
        return _html('<span class="marks">{}</span>', chips) if marks else _NOTHING

    def _may_edit(self, product: Product) -> bool:
        return self.editable and product.status != Product.Status.ARCHIVED

    def _column(self, product: Product, column: str, cells: dict[str, Cell]) -> SafeString:
        if column == STATUS:
            return self.statuses[product.status]
        if column in (CREATED, CHANGED):
            return self._time(product, column)
        if column == SKU:
            label = self.texts["sku"] % {"name": product, "sku": product.sku or "–"}
            return self._button(product, "cell", SKU, product.sku or "", label, product.sku or "–")
        return self._value(product, cells[column])

    def _value(self, product: Product, cell: Cell) -> SafeString:
        value = cell.value.name if cell.value is not None else "–"
        share = percent(cell.confidence)
        if not cell.applies:
            return _html('<span class="text soft">{}</span>', self.texts["not applicable"])
        if cell.value is None:
            shown = _html('<span class="soft">{}</span>', value)
        elif cell.doubtful:
            shown = _html(
                '<span class="value">{}</span> <span class="chip doubt">{} {}</span>', value, share, self.unsure
            )
        elif cell.proposed:
            shown = _html('<span class="value">{}</span> <span class="share">{}</span>', value, share)
        else:
            shown = _html('<span class="value">{}</span>', value)
        state = self.states[cell.state]
        state = f"{state} {share}" if cell.proposed else state
        words = {"attribute": cell.attribute.name, "name": product, "value": value, "state": state}
        label = self.texts["value"] % words
        return self._button(product, f"cell {cell.state}", cell.attribute.code, cell.code, label, shown)

    def _button(self, product: Product, name: str, field: str, value: str, label: str, shown: str) -> SafeString:
        """What a click edits; only text for who may not."""
        if not self._may_edit(product):
            return _html('<span class="text">{}</span>', shown)
        return _html(
            '<button type="button" class="{}" data-edit="{}" data-value="{}" aria-label="{}">{}</button>',
            name, field, value, label, shown,
        )  # fmt: skip

    def _time(self, product: Product, column: str) -> SafeString:
        when = product.created_at if column == CREATED else product.updated_at
        return _html('<time datetime="{}">{}</time>', when.isoformat(), moment(when))


def filter_choices(attribute: str, groups: Iterable[Group], chosen: Collection[str]) -> SafeString:
    """The boxes by which the list is filtered by an attribute: open ones, top-level categories, values."""

    def box(name: str, code: str, label: str) -> SafeString:
        checked = SafeString(" checked") if code in chosen else _NOTHING
        return _html(
            '<label class="{}"><input type="checkbox" name="{}" value="{}"{}> {}</label>',
            name, attribute, code, checked, label,
        )  # fmt: skip

    boxes = [box("choice", OPEN, _("open"))]
    for group in groups:
        parent = next((option.value.parent for option in group.options), None)
        if parent is not None:
            boxes.append(box("choice group", parent.code, parent.name))
        boxes += [
            box("choice below" if parent else "choice", option.value.code, option.value.name)
            for option in group.options
        ]
    return SafeString("".join(boxes))  # nosec B703 - of markup


def editor_options(groups: Iterable[Group]) -> SafeString:
    """The options by which a value is edited, grouped by top-level category where there are any."""
    written = []
    for group in groups:
        options = _joined(
            '<option value="{}" data-words="{}">{}</option>',
            ((option.value.code, option.words, option.value.name) for option in group.options),
        )
        written.append(_html('<optgroup label="{}">{}</optgroup>', group.label, options) if group.label else options)
    return SafeString("".join(written))  # nosec B703 - of markup
