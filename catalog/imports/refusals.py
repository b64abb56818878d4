"""Why a file, a line or an image is not imported: a code for programs, a sentence for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.errors import Invalid, Refused

SENTENCES: Mapping[str, str | Promise] = {
    # the whole file
    "nothing_sent": _("No file was sent. Choose a table, a ZIP file or photos."),
    "two_tables": _("Two tables were sent, %(first)s and %(second)s. Send one."),
    "table_too_large": _("The table has %(megabytes)d MB; at most %(limit)d MB are possible. Split it."),
    "files_too_large": _("The files have more than %(limit)d MB together. Import them in several parts."),
    "too_many_files": _("More than %(limit)d files were sent. Put them into a ZIP file."),
    "unknown_kind": _("%(file)s is neither a table (CSV, XLSX), a ZIP file nor a photo."),
    "old_excel": _("%(file)s is an old Excel file. Save it as XLSX and send that."),
    "protected": _("%(file)s is protected by a password. Save it without one and send that."),
    "other_spreadsheet": _("%(file)s is a spreadsheet of another program. Save it as XLSX or CSV and send that."),
    "other_archive": _("%(file)s is an archive that cannot be read here. Pack it as ZIP."),
    "encoding": _("The table's letters cannot be read. Save it as CSV in UTF-8 and send that."),
    "csv_broken": _("The table is broken in line %(line)d, perhaps by a quote that does not end. Mend it there."),
    "cell_too_long": _("Line %(line)d has a cell or line of more than %(limit)d characters. Shorten it."),
    "table_empty": _("The table has no line besides its heads."),
    "too_many_columns": _("The table has more than %(limit)d columns. Remove those that are not needed."),
    "too_many_lines": _("The table has more than %(limit)d lines. Split it."),
    "xlsx_broken": _("The table cannot be read as XLSX. Open it, save it again and send that."),
    "xlsx_entities": _("The table defines its own XML entities, which no spreadsheet program writes. Save it again."),
    "xlsx_bomb": _("The table is far larger unpacked than any table is. Save it as CSV and send that."),
    "zip_broken": _("%(file)s is damaged or was cut off. Pack it again and send that."),
    "zip_too_many": _("%(file)s has more than %(limit)d files. Split it."),
    "zip_bomb": _("%(file)s is far larger unpacked than photos are. Pack only the photos, and send that."),
    "zip_too_large": _("%(file)s has more than %(limit)d MB unpacked. Split it."),
    "zip_nested": _("%(file)s has another archive in it, %(entry)s. Unpack that one and pack the photos themselves."),
    "zip_path": _("%(file)s has a name that leads out of its folder, %(entry)s. Pack it again."),
    "zip_link": _("%(file)s has a link instead of a file, %(entry)s. Pack the photos themselves."),
    "zip_encrypted": _("%(file)s is protected by a password. Pack it without one and send that."),
    "zip_method": _("%(file)s is packed in a way that cannot be read here. Pack it as ordinary ZIP."),
    "zip_two_tables": _("%(file)s has two tables in it, %(first)s and %(second)s. Leave one."),
    "no_images": _("There is no photo in what was sent, and no table."),
    "no_sku_column": _("No column is the SKU. Say which one is it."),
    "column_twice": _("Two columns are “%(column)s”. Choose one of them."),
    "forbidden": _("Who started it may no longer change products of this shop, so it was stopped."),
    "file_gone": _("The files that were sent are no longer there. Send them again."),
    # a line
    "sku_missing": _("The line has no SKU."),
    "sku_twice": _("The SKU is in line %(line)d already."),
    "formula": _("The column “%(column)s” has a formula. Replace it by its value."),
    "error_value": _("The column “%(column)s” has the error %(value)s instead of a value."),
    "control_characters": _("The column “%(column)s” has characters that cannot be seen. Type it again."),
    "column_not_applicable": _("Garments of this category have no “%(column)s”, so it was left out."),
    "archived_line": _("This product is archived. Restore it before you change it."),
    "cannot_follow": _("The status “%(status)s” follows from the values, so it was left out."),
    "gave_up": _("The photos of this line ended the program each time. They are too much for it."),
    "error": _("Something went wrong here that should not. It is logged; try it again later."),
    # an image of a line
    "image_missing": _("There is no file %(name)s in what was sent."),
    "image_ambiguous": _("There are several files %(name)s. Write the folder before the name."),
    "image_address": _("%(name)s is an address. Photos are not fetched from other sites: put them into a ZIP file."),
    "image_unmatched": _("%(name)s belongs to no line: its name or folder is none of the SKUs."),
    "image_elsewhere": _("%(name)s is also a photo of %(product)s."),
    "image_refused": _("%(name)s: %(reason)s"),
}


def refusal(code: str, **params: object) -> Invalid:
    """Return, for raising or writing down, why something is not imported; `code` is one of SENTENCES."""
    return Invalid(code, SENTENCES[code], params)


def to_json(refused: Refused) -> dict[str, Any]:
    """Return what is stored of a refusal, so that it can be read in any language later."""
    with translation.override("en"):
        params = {
            name: to_json(value) if isinstance(value, Refused) else value if isinstance(value, int) else str(value)
            for name, value in refused.params.items()
        }
        return {"code": refused.code, "text": refused.template, "params": params}


def sentence(stored: Mapping[str, Any], columns: Mapping[str, str] | None = None) -> str:
    """Return the sentence of a stored refusal in the active language; `columns` says what columns are called."""
    if not stored:
        return ""
    params = {
        name: sentence(value, columns) if isinstance(value, Mapping) else value
        for name, value in stored["params"].items()
    }
    if columns and "column" in params:
        params["column"] = columns.get(params["column"], params["column"])
    text = gettext(stored["text"])
    return text % params if params else text
