"""Files in the storage that belong to no image."""

from __future__ import annotations

from django.db import models

from core.ids import PUBLIC_ID_LENGTH


class PendingFile(models.Model):
    """A file in the storage that no image points to: not yet, or not any more. catalog.files writes these."""

    path = models.CharField(max_length=200, unique=True)
    image = models.CharField(max_length=PUBLIC_ID_LENGTH)  # its public id; there may be no row of it
    delete_after = models.DateTimeField(db_index=True)
    tries = models.PositiveIntegerField(default=0)  # above 0 a sweep has claimed it: its writer came too late

    class Meta:
        default_permissions = ()  # no page shows it

    def __str__(self) -> str:
        return self.path
