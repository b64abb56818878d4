"""Backup and restore of database and uploads, beside a site that is being used."""

from config.backups.backup import back_up
from config.backups.records import Backup, BackupError
from config.backups.restore import restore

__all__ = ["Backup", "BackupError", "back_up", "restore"]
