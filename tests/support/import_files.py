"""Files to import, and imports from their beginning to their end, as a worker would carry them out."""

import csv
import io
import zipfile

import openpyxl
from django.core.files.base import ContentFile

from accounts.models import Operation
from accounts.services import operations
from catalog.models import ImportLine
from catalog.services.imports import sending
from tests.support.drawn_images import photo

HEADS = ("SKU", "상품명", "카테고리", "소재", "소매길이", "사진")


def csv_file(*rows, heads=HEADS, encoding="utf-8-sig", delimiter=","):
    """A table as CSV."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows([heads, *rows])
    return text.getvalue().encode(encoding)


def xlsx_file(*rows, heads=HEADS):
    """A table as XLSX."""
    book = openpyxl.Workbook()
    for row in (heads, *rows):
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def zip_file(files, compression=zipfile.ZIP_STORED):
    """A ZIP file: bytes by names."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return file.getvalue()


def photos(*names, start=0):
    """A photo for each name, every one different."""
    return {name: photo(color=(20 + start + place, 90, 120), size=(300, 400)) for place, name in enumerate(names)}


def begun(actor, **files):
    """An import with these files: bytes by name, with `_` for the dot before the ending."""
    found = sending.begin(actor=actor, merchant=actor.merchant)
    for name, data in files.items():
        stem, _dot, ending = name.rpartition("_")
        sending.add_file(actor=actor, found=found, file=ContentFile(data, name=f"{stem}.{ending}"))
    return found


def checked(actor, columns=None, **files):
    """The same after its dry run."""
    found = begun(actor, **files)
    sending.start_check(actor=actor, found=found, columns=columns)
    work()
    found.refresh_from_db()
    return found


def imported(actor, **files):
    """The same after the import."""
    found = checked(actor, **files)
    sending.start(actor=actor, found=found)
    work()
    found.refresh_from_db()
    return found


def work():
    """Do all that waits, whoever's turn it is."""
    Operation.objects.filter(state__in=operations.ALIVE).update(lease_token="", lease_until=None)
    operations.continue_long()
    operations.continue_some()


def lines(found):
    """The lines in their order."""
    return list(ImportLine.objects.filter(of=found).order_by("number"))


def codes(line):
    """The codes of a line's problems."""
    return [problem["code"] for problem in line.problems]
