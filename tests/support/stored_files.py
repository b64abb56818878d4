"""What lies in the storage of uploads, and letting its time pass."""

import csv
from datetime import timedelta

from django.core.files.storage import default_storage
from django.utils import timezone

from catalog import files
from catalog.models import PendingFile


def stored_files(folder=files.UPLOADS):
    """Return the paths of all files below a folder, in order."""
    if not default_storage.exists(folder):
        return []
    folders, names = default_storage.listdir(folder)
    below = [path for name in folders for path in stored_files(f"{folder}/{name}")]
    return sorted([f"{folder}/{name}" for name in names] + below)


def let_an_hour_pass():
    """Make every record of a file as old as one that the sweep acts on."""
    PendingFile.objects.update(delete_after=timezone.now() - timedelta(seconds=1))


def rows_of(path):
    """The rows of a CSV file, by column."""
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))
