"""ZIP files: which files are in one, and their bytes, under limits that are kept while reading.

What the directory says is not believed: each file is read up to the size that it announces and no further, and the
sizes are added up before anything is read. Nothing is ever unpacked to a path.
"""

from __future__ import annotations

import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO

from django.conf import settings

from catalog.imports.refusals import refusal
from core.multipart import lenient_text

_DIRECTORY_BYTES = 400  # of one file, on average: 46 and its name
_RATIO = 200  # photos hardly shrink; a table of one letter shrinks by 1,000
_RATIO_FROM = 4 * 2**20  # bytes: below this nobody is hurt
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_ENCRYPTED = 0x1
_UTF8 = 0x800
_NESTED = frozenset((".zip", ".7z", ".rar", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".jar", ".alz", ".egg", ".cbz"))
_JUNK = frozenset(("thumbs.db", "desktop.ini", ".ds_store"))
_READ_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)


@dataclass(frozen=True)
class Entry:
    """A file in an archive: its place, its path with `/`, and how many bytes it announces."""

    index: int
    path: str
    size: int

    @property
    def name(self) -> str:
        """The path's last part."""
        return self.path.rsplit("/", 1)[-1]


def _check_directory(file: IO[bytes], name: str) -> None:
    """Refuse a directory that is too long, before zipfile reads it as a whole into memory.

    An archive may end twice, and say two lengths: zipfile's own function tells which one it will believe.

    Raises:
        Refused: `zip_broken`, `zip_too_many`.
    """
    try:
        end = zipfile._EndRecData(file)  # type: ignore[attr-defined]  # private
    except zipfile.BadZipFile as error:
        raise refusal("zip_broken", file=name) from error
    if not end:
        raise refusal("zip_broken", file=name)
    limit = settings.OTJANG_IMPORT_MAX_ENTRIES
    count, length = end[zipfile._ECD_ENTRIES_TOTAL], end[zipfile._ECD_SIZE]  # type: ignore[attr-defined]  # too
    if count > limit or length > limit * _DIRECTORY_BYTES:
        raise refusal("zip_too_many", file=name, limit=limit)


class Archive:
    """An open ZIP file that has been looked through.

    Args:
        file: its bytes, sought in.
        name: what people know it by.

    Raises:
        Refused: with a code that begins with `zip_`.
    """

    def __init__(self, file: IO[bytes], name: str) -> None:
        self.name = name
        _check_directory(file, name)
        try:
            self._zip = zipfile.ZipFile(file)
        except _READ_ERRORS as error:
            raise refusal("zip_broken", file=name) from error
        self._infos = self._zip.infolist()
        self.entries = list(self._checked())

    def _checked(self) -> Iterator[Entry]:
        limit = settings.OTJANG_IMPORT_MAX_UNZIPPED_BYTES
        total = 0
        if len(self._infos) > settings.OTJANG_IMPORT_MAX_ENTRIES:
            raise refusal("zip_too_many", file=self.name, limit=settings.OTJANG_IMPORT_MAX_ENTRIES)
        for index, info in enumerate(self._infos):
            path = self._path(info)
            if path is None:
                continue
            total += info.file_size
            if info.file_size > _RATIO_FROM and info.file_size > _RATIO * max(info.compress_size, 1):
                raise refusal("zip_bomb", file=self.name)
            if total > limit:
                raise refusal("zip_too_large", file=self.name, limit=limit // 2**20)
            yield Entry(index, path, info.file_size)

    def _path(self, info: zipfile.ZipInfo) -> str | None:
        """The path of a file that may be an image or a table; None for folders and what systems leave behind."""
        path = _decoded(info)
        parts = PurePosixPath(path).parts
        if path.startswith("/") or ".." in parts or (parts and ":" in parts[0]):
            raise refusal("zip_path", file=self.name, entry=path[:80])
        if stat.S_ISLNK(info.external_attr >> 16):
            raise refusal("zip_link", file=self.name, entry=path[:80])
        if not parts or info.is_dir() or parts[0] == "__MACOSX" or parts[-1].lower() in _JUNK:
            return None
        if parts[-1].startswith("._"):
            return None
        if info.flag_bits & _ENCRYPTED:
            raise refusal("zip_encrypted", file=self.name)
        if info.compress_type not in _METHODS:
            raise refusal("zip_method", file=self.name)
        if PurePosixPath(path).suffix.lower() in _NESTED:
            raise refusal("zip_nested", file=self.name, entry=path[:80])
        return "/".join(parts)

    def read(self, index: int, limit: int) -> bytes:
        """Read one file.

        Args:
            index: its place.
            limit: bytes; one that is larger is read up to one byte more, so that its size is judged by its bytes.

        Raises:
            Refused: `zip_broken`: just this file cannot be read.
        """
        try:
            with self._zip.open(self._infos[index]) as file:
                return file.read(limit + 1)
        except (*_READ_ERRORS, OSError) as error:
            if isinstance(error, OSError) and not isinstance(error, EOFError) and error.errno is not None:
                raise  # the disk's
            raise refusal("zip_broken", file=self._infos[index].filename[-80:]) from error

    def close(self) -> None:
        """Forget it."""
        self._zip.close()


def _decoded(info: zipfile.ZipInfo) -> str:
    """The file's path, in whatever encoding its program wrote: Korean Windows writes CP949 without saying so."""
    raw = info.filename if info.flag_bits & _UTF8 else _lenient(info)
    return unicodedata.normalize("NFC", raw.replace("\\", "/").replace("\x00", ""))


def _lenient(info: zipfile.ZipInfo) -> str:
    try:
        return lenient_text(info.orig_filename.encode("cp437"))
    except UnicodeEncodeError:
        return info.filename


def is_archive(head: bytes) -> bool:
    """Whether a file that begins so is a ZIP file."""
    return head.startswith((b"PK\x03\x04", b"PK\x05\x06"))
