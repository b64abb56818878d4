"""`manage.py sweep_files`: finds files of uploads that broke off before files were recorded."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.files.storage import default_storage

from catalog import files
from catalog.models import FILES, PendingFile, Product, ProductImage
from core.commands import EnglishCommand
from core.ids import PUBLIC_ID_LENGTH


def unknown_files(*, of_all: bool) -> Iterator[tuple[str, str]]:
    """Walk the uploads for files without a row or a record, as path and public id of the image that it was for.

    Args:
        of_all: whether to look also into folders of products that this database does not have.
    """
    try:
        folders = default_storage.listdir(files.UPLOADS)[0]
    except FileNotFoundError:  # nothing was ever uploaded
        return
    for folder in sorted(folders):
        if not of_all and not Product.objects.filter(public_id=folder).exists():
            continue
        path = files.image_folder(folder)
        found = {f"{path}/{name}": name[:PUBLIC_ID_LENGTH] for name in default_storage.listdir(path)[1]}
        # In this order: an upload that ends meanwhile has its rows when its records are gone.
        found = _without(found, PendingFile.objects.filter(path__in=found).values_list("path"))
        rows = ProductImage.objects.filter(public_id__in=set(found.values()))
        yield from sorted(_without(found, rows.values_list(*FILES)).items())


def _without(found: dict[str, str], known: Any) -> dict[str, str]:
    paths = {path for names in known for path in names}
    return {path: image for path, image in found.items() if path not in paths}


class Command(EnglishCommand):
    """Once after an update from a release before 2026.12; since then files are recorded before they are written."""

    help = "List or delete uploaded files that no image points to and that the sweep does not know of."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Offer the two things to do, and how far to look."""
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--list", action="store_true", help="only print their paths")
        what.add_argument("--delete", action="store_true", help="let the next sweep of a worker delete them")
        parser.add_argument(
            "--all",
            action="store_true",
            help="also in folders of products that this database does not have: they were deleted, or they are another "
            "database's on the same storage",
        )

    def handle(self, *args: Any, delete: bool, **options: Any) -> None:
        """Walk through the storage, one product after the other."""
        count = 0
        for path, image in unknown_files(of_all=options["all"]):
            count += 1
            if delete:
                files.delete_soon(path, image=image)
            else:
                self.stdout.write(path)
        self.stdout.write(f"{count} files {'will be deleted by the next sweep' if delete else 'without an image'}")
