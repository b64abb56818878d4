"""The report of an import: a line for each line, with what became of it and what was wrong."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator

from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import Operation
from accounts.services import result_files
from catalog.imports.refusals import sentence
from catalog.models import ImportLine, ProductImport
from catalog.product_columns import Wording, columns_of
from catalog.selectors import Taxonomy
from core.spreadsheets import safe

FILE_NAME = "import-report.csv"
_CHUNK = 500


def column_names(taxonomy: Taxonomy) -> dict[str, str]:
    """What columns are called in the active language, by their codes."""
    wording = Wording.ENGLISH if (translation.get_language() or "").startswith("en") else Wording.KOREAN
    return {column.code: column.heads[wording] for column in columns_of(taxonomy)}


def rows(found: ProductImport, alive: Callable[[], None] = lambda: None) -> Iterator[list[str]]:
    """Yield the report's rows in the active language, the heads first; a few hundred lines are in memory at a time."""
    names = column_names(Taxonomy.load())
    done = found.phase == ProductImport.Phase.IMPORTED or found.operation_id is not None
    yield [_("line"), "SKU", _("check"), _("outcome"), _("product"), _("photos"), _("notes")]
    last = 0
    lines = ImportLine.objects.filter(of=found).select_related("product").order_by("number")
    while some := list(lines.filter(number__gt=last)[:_CHUNK]):
        alive()
        for line in some:
            yield [
                str(line.number),
                safe(line.sku or str(line.cells.get("sku", ""))[:64]),
                str(line.get_action_display()),
                str(line.get_outcome_display()) if done else "",
                line.product.public_id if line.product is not None else "",
                str(len(line.images) or ""),
                safe(" ".join(sentence(one, names) for one in line.problems)),
            ]
        last = some[-1].number


def encoded(found: ProductImport, alive: Callable[[], None] = lambda: None) -> Iterator[bytes]:
    """Yield the report as CSV in UTF-8 with a mark, which Excel needs to read Korean."""
    yield b"\xef\xbb\xbf"
    for row in rows(found, alive):
        text = io.StringIO()
        csv.writer(text).writerow(row)
        yield text.getvalue().encode()


def write(operation: Operation, found: ProductImport, alive: Callable[[], None]) -> None:
    """Store the report as the operation's result, in the language of who imports."""
    language = operation.created_by.language if operation.created_by is not None else "ko"
    with translation.override(language), result_files.open_new(operation, FILE_NAME) as file:
        for part in encoded(found, alive):
            file.write(part)
