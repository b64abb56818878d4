"""The files of an import, opened: the table, and the images with what they may belong to."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import re
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath
from typing import IO, Any

from django.conf import settings
from django.core.files.storage import FileSystemStorage, default_storage
from django.core.files.uploadedfile import UploadedFile

from catalog import copies
from catalog.imports.archives import Archive
from catalog.imports.refusals import refusal
from catalog.imports.tables import Table, is_table
from catalog.models import ImportFile, ProductImport
from catalog.search import normalized
from catalog.upload_validation import check_size, file_name, image_limits, refusal_of
from catalog.upload_validation import refusal as image_refusal
from core.errors import Refused
from core.text import lookup_key
from vision.engine import formats
from vision.engine.decode import decoding
from vision.engine.errors import DecodeError
from vision.engine.locations import without_location

_NUMBERED = re.compile(r"^(?P<stem>.+?)(?:[_\-. ]+\d{1,3}|\s*\(\d{1,3}\))$")
_DETAIL = 64  # px, shorter side: enough to read all of the file
_TABLE_ENDINGS = frozenset((".csv", ".tsv", ".xlsx", ".xlsm"))


@dataclass(frozen=True, slots=True)
class Photo:
    """An image that was sent: a file of its own, or a place in an archive."""

    file: int
    entry: int | None
    path: str

    @property
    def name(self) -> str:
        """What people know it by, without folders."""
        return file_name(self.path)


@dataclass(frozen=True, slots=True)
class Found:
    """An image of a line that can be read, with what tells it from others."""

    photo: Photo
    sha256: str

    def to_json(self) -> dict[str, Any]:
        """Return what a line stores of it."""
        return {
            "file": self.photo.file,
            "entry": self.photo.entry,
            "path": self.photo.path,
            "sha256": self.sha256,
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Found:
        """Read what a line stores."""
        return cls(Photo(stored["file"], stored["entry"], stored["path"]), stored["sha256"])


class PhotoFile(UploadedFile):  # type: ignore[type-arg]  # generic in the stubs only, not when it runs
    """An image on its way into a product; its bytes are read when they are needed, and not kept."""

    def __init__(self, sources: Sources, photo: Photo) -> None:
        super().__init__(None, photo.name, size=1)  # the real size is judged by the bytes
        self._sources, self._photo = sources, photo

    def seek(self, offset: int, whence: int = 0) -> int:
        """It is always read from its beginning."""
        return 0

    def read(self, size: int = -1) -> bytes:
        """Return all of it. Raises Refused."""
        return self._sources.read(self._photo)


def local_copy(stored: str) -> Path:
    """Return where a file of the storage lies on this machine; it is fetched where the storage is elsewhere.

    Fetched once a process. `drop_copies` deletes it, or the sweep after a day without use.

    Raises:
        Refused: `file_gone`.
    """
    if isinstance(default_storage, FileSystemStorage):
        path = Path(default_storage.path(stored))
        if not path.exists():
            raise refusal("file_gone")
        return path
    copy = _copy_of(stored)
    if copy.exists():
        os.utime(copy)
        return copy
    if not default_storage.exists(stored):
        raise refusal("file_gone")
    with (
        default_storage.open(stored) as source,
        tempfile.NamedTemporaryFile(dir=copy.parent, suffix=".upload", delete=False) as target,
    ):
        shutil.copyfileobj(source, target, 2**20)
    Path(target.name).rename(copy)
    return copy


def _copy_of(stored: str) -> Path:
    name = hashlib.sha256(stored.encode()).hexdigest()[:32]
    return Path(settings.FILE_UPLOAD_TEMP_DIR) / f"{name}-{os.getpid()}.upload"


def drop_copies(found: ProductImport) -> None:
    """Delete what this process fetched of an import's files."""
    for stored in found.files.values_list("stored", flat=True):
        _copy_of(stored).unlink(missing_ok=True)


def sku_keys(path: str) -> list[str]:
    """Keys of what a file's SKU may be, the likeliest first: its folders, its name, its name without a number."""
    *folders, name = PurePosixPath(path).parts
    stem = PurePath(name).stem
    numbered = _NUMBERED.match(stem)
    said = [*reversed(folders), stem, *([numbered["stem"]] if numbered else [])]
    return [lookup_key(one) for one in said]


def likely_skus(photos: Iterable[Photo]) -> dict[Photo, str]:
    """Say which SKU each file has where nothing else is known.

    In a folder in which names with numbers speak of several things (`A1_1.jpg`, `B7_1.jpg`) the names are SKUs, else
    the folder's name is. Without folders it is the name, with or without a number.
    """
    by_folder: dict[str, list[Photo]] = defaultdict(list)
    for photo in photos:
        by_folder[str(PurePosixPath(photo.path).parent)].append(photo)
    found = {}
    for folder, some in by_folder.items():
        matches = [_NUMBERED.match(PurePath(photo.path).stem) for photo in some]
        stems = {match["stem"] for match in matches if match}
        by_name = folder == "." or (all(matches) and len(stems) > 1)
        for photo, match in zip(some, matches, strict=True):
            stem = match["stem"] if match else PurePath(photo.path).stem
            found[photo] = stem if by_name else PurePosixPath(folder).name
    return found


class Sources:
    """An import's files while they are read.

    Use it as a context manager.

    Raises:
        Refused: a file cannot be read, see `catalog.imports.refusals`.
    """

    def __init__(self, found: ProductImport) -> None:
        self._stack = contextlib.ExitStack()
        self._stored: dict[int, str] = {}
        self._archives: dict[int, Archive] = {}
        self._table: tuple[IO[bytes], str] | None = None
        self.photos: list[Photo] = []
        try:
            self._open(list(found.files.all()))
        except BaseException:
            self._stack.close()
            raise

    def __enter__(self) -> Sources:
        return self

    def __exit__(self, *_about: object) -> None:
        self._stack.close()

    def _open(self, files: list[ImportFile]) -> None:
        for file in files:
            self._stored[file.pk] = file.stored
            if file.kind == ImportFile.Kind.IMAGE:
                self.photos.append(Photo(file.pk, None, file.name))
                continue
            opened = self._stack.enter_context(local_copy(file.stored).open("rb"))
            if file.kind == ImportFile.Kind.TABLE:
                self._take_table(opened, file.name)
            else:
                self._take_archive(file, opened)

    def _take_table(self, opened: IO[bytes], name: str) -> None:
        if self._table is not None:
            raise refusal("two_tables", first=self._table[1], second=name)
        self._table = opened, name

    def _take_archive(self, file: ImportFile, opened: IO[bytes]) -> None:
        archive = Archive(opened, file.name)
        self._stack.callback(archive.close)
        self._archives[file.pk] = archive
        tables = [entry for entry in archive.entries if PurePath(entry.name).suffix.lower() in _TABLE_ENDINGS]
        if len(tables) > 1:
            raise refusal("zip_two_tables", file=file.name, first=tables[0].path, second=tables[1].path)
        if tables:
            limit = settings.OTJANG_IMPORT_MAX_TABLE_BYTES
            content = archive.read(tables[0].index, limit)
            if len(content) > limit:
                raise refusal("table_too_large", megabytes=tables[0].size // 2**20, limit=limit // 2**20)
            self._take_table(io.BytesIO(content), tables[0].name)
        self.photos += [
            Photo(file.pk, entry.index, entry.path) for entry in archive.entries if not is_table(entry.name)
        ]

    def table(self) -> Table | None:
        """Look through the table and return it; None if only images were sent."""
        return Table(*self._table) if self._table is not None else None

    def read(self, photo: Photo) -> bytes:
        """Return the bytes of an image as they will be stored.

        Raises:
            Refused: as an upload is, and for a broken place in an archive.
        """
        limit = settings.OTJANG_MAX_UPLOAD_BYTES
        if photo.entry is None:
            stored = self._stored[photo.file]
            if not default_storage.exists(stored):
                raise refusal("file_gone")
            with default_storage.open(stored) as file:
                content: bytes = file.read(limit + 1)
        else:
            try:
                content = self._archives[photo.file].read(photo.entry, limit)
            except Refused as refused:
                raise image_refusal("damaged") from refused
        check_size(len(content))
        return without_location(content)  # as it will be stored, so that its checksum is that of the stored file

    def look_at(self, photo: Photo, known: Collection[str] = ()) -> Found:
        """Read an image, and decode it small, which finds what is damaged; those whose checksum is known are good.

        Raises:
            Refused: it cannot be an image of a product.
        """
        content = self.read(photo)
        found = Found(photo, hashlib.sha256(content).hexdigest())
        if found.sha256 not in known:
            try:
                with decoding(content, detail=_DETAIL, most_pixels=copies.MOST_PIXELS, max_pixels=image_limits()):
                    pass
            except DecodeError as error:
                raise refusal_of(error) from error
        return found


class PhotoIndex:
    """Which images belong to a line: those that it names, else those whose name or folder is its SKU."""

    def __init__(self, photos: Iterable[Photo]) -> None:
        self._by_path: dict[str, list[Photo]] = defaultdict(list)
        self._by_name: dict[str, list[Photo]] = defaultdict(list)
        self._by_key: dict[str, list[Photo]] = defaultdict(list)
        self._left: dict[Photo, None] = {}
        for photo in photos:
            self._by_path[normalized(photo.path)].append(photo)
            self._by_name[normalized(PurePosixPath(photo.path).name)].append(photo)
            if self.is_image(photo):
                self._left[photo] = None
                for key in dict.fromkeys(sku_keys(photo.path)):
                    self._by_key[key].append(photo)

    def of_sku(self, sku_key: str) -> list[Photo]:
        """Return the images of an SKU in the order of their names."""
        found = self.in_order(self._by_key.get(sku_key, ()))
        for photo in found:
            self._left.pop(photo, None)
        return found

    @staticmethod
    def in_order(photos: Iterable[Photo]) -> list[Photo]:
        """Return images as people count: 2 before 10."""
        return sorted(photos, key=lambda photo: _natural(photo.path))

    @staticmethod
    def is_image(photo: Photo) -> bool:
        """Whether a file's name says that it is an image; others are taken only where a line names them."""
        return PurePath(photo.path).suffix.lower() in formats.SUFFIXES

    def named(self, name: str, sku_key: str) -> Photo:
        """Return the image of that name or path; of several the one that is the SKU's.

        Raises:
            Refused: `image_missing`, `image_ambiguous`.
        """
        wanted = normalized(name.replace("\\", "/").strip("/ "))
        found = self._by_path.get(wanted) or self._by_name.get(wanted.rsplit("/", 1)[-1], [])
        if len(found) > 1:
            found = [photo for photo in found if sku_key in sku_keys(photo.path)] or found
        if not found:
            raise refusal("image_missing", name=name[:120])
        if len(found) > 1:
            raise refusal("image_ambiguous", name=name[:120])
        self._left.pop(found[0], None)
        return found[0]

    def left_over(self) -> Iterator[Photo]:
        """The images that no line has asked for."""
        yield from self._left


def _natural(path: str) -> list[tuple[int, str]]:
    """A key that puts 2 before 10."""
    return [(int(part), "") if part.isdecimal() else (0, part) for part in re.split(r"(\d{1,9})", path.casefold())]
