"""Files and rows: images without their files, and files that no row names.

Each folder belongs to a product, an import, an operation or a request, and is listed once; all folders are never
listed at once on a local disk.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import reduce
from itertools import islice
from operator import or_

from django.core.files.storage import FileSystemStorage, default_storage
from django.db.models import Q
from django.utils import timezone

from accounts.models import Operation
from catalog import files as stored_files
from catalog.models import FILES, DraftImage, ImportFile, PendingFile, Product, ProductImage, ProductImport
from classifier.consistency.walking import Check, Found, Kind, Step, last_key
from classifier.models import ClassifyRequest, ModelVersion
from classifier.models.requests import SPOOL
from classifier.registry import uploads, weight_files
from core.ids import PUBLIC_ID_LENGTH

_AT_A_TIME = 200
_YOUNG = timedelta(hours=3)  # what is being written has an hour, and the sweep comes every hour

Owned = Mapping[str, Collection[str]]
"""The files that rows name, by the folder of the row."""


def _listed(folder: str) -> list[str]:
    """The paths of the files in a folder, [] where there is none."""
    try:
        names = default_storage.listdir(folder)[1]
    except FileNotFoundError:
        return []
    return [f"{folder}/{name}" for name in names]


def _folders(root: str) -> Iterator[list[str]]:
    """The names of a folder's folders, some at a time. A local disk is read as it goes; a bucket gives all at once."""
    if isinstance(default_storage, FileSystemStorage):
        try:
            with os.scandir(default_storage.path(root)) as entries:
                yield from _some(entry.name for entry in entries if entry.is_dir())
        except FileNotFoundError:
            return
    else:
        yield from _some(iter(default_storage.listdir(root)[0]))


def _some(names: Iterator[str]) -> Iterator[list[str]]:
    while batch := list(islice(names, _AT_A_TIME)):
        yield batch


def _images(products: Collection[int]) -> dict[int, list[ProductImage]]:
    images: dict[int, list[ProductImage]] = defaultdict(list)
    rows = ProductImage.objects.filter(product__in=products).only("public_id", "product_id", *FILES)
    for image in rows.order_by():
        images[image.product_id].append(image)
    return images


def _walk(asked: Collection[str]) -> Iterator[Step]:
    yield from _products(asked)
    if "files-without-row" in asked or "files-of-nobody" in asked:
        yield from _others(asked)


def _products(asked: Collection[str]) -> Iterator[Step]:
    last, after = last_key(Product), 0
    rows = Product.objects.order_by("pk").values_list("pk", "public_id")
    while batch := list(rows.filter(pk__gt=after)[:_AT_A_TIME]):
        after = batch[-1][0]
        # Files first: an upload that ends meanwhile has its rows when they are read.
        listed = {pk: _listed(stored_files.image_folder(folder)) for pk, folder in batch}
        images = _images([pk for pk, _folder in batch])
        found: list[Found] = []
        strays: list[str] = []
        for pk, _folder in batch:
            there, named = set(listed[pk]), {name for image in images[pk] for name in image.files.values()}
            strays += sorted(there - named)
            if "files-missing" in asked and named - there:
                found += _missing(images[pk], there)
        if "files-without-row" in asked:
            found += [Found("files-without-row", path, path) for path in _older(strays)]
        yield Step(after, last, found)


def _missing(images: Iterable[ProductImage], there: Collection[str]) -> Iterator[Found]:
    for image in images:
        for field, name in image.files.items():
            lost = name not in there and not default_storage.exists(name)
            # A second look: the image may have been deleted since its row was read.
            if lost and ProductImage.objects.filter(pk=image.pk, **{field: name}).exists():
                yield Found("files-missing", name, image.pk)


def _older(paths: Sequence[str]) -> list[str]:
    """Those that are old enough to be nobody's, and that the sweep does not know of either."""
    before = timezone.now() - _YOUNG
    old = [path for path in paths if _modified_before(path, before)]
    known: set[str] = set()
    for start in range(0, len(old), _AT_A_TIME):
        some = old[start : start + _AT_A_TIME]
        known.update(PendingFile.objects.filter(path__in=some).values_list("path", flat=True))
    return [path for path in old if path not in known]


def _modified_before(path: str, moment: datetime) -> bool:
    try:
        modified: datetime = default_storage.get_modified_time(path)
    except FileNotFoundError:  # deleted since it was listed
        return False
    return modified < moment


def _of_imports(folders: Collection[str]) -> Owned:
    owned: dict[str, set[str]] = {
        name: set() for name in ProductImport.objects.filter(public_id__in=folders).values_list("public_id", flat=True)
    }
    files = ImportFile.objects.filter(of__public_id__in=folders).order_by()
    for folder, path in files.values_list("of__public_id", "stored"):
        owned[folder].add(path)
    return owned


def _of_operations(folders: Collection[str]) -> Owned:
    rows = Operation.objects.filter(public_id__in=folders).order_by()
    return {folder: {path} for folder, path in rows.values_list("public_id", "result_file")}


def _of_requests(folders: Collection[str]) -> Owned:
    rows = ClassifyRequest.objects.filter(public_id__in=folders)
    return {row.public_id: {row.path(place) for place in range(len(row.names))} for row in rows}


_ROOTS: Mapping[str, Callable[[Collection[str]], Owned]] = {
    "imports": _of_imports,
    "operations": _of_operations,
    SPOOL: _of_requests,
}


def _others(asked: Collection[str]) -> Iterator[Step]:
    """The folders that no walk through the products comes to."""
    for folders in _folders(stored_files.UPLOADS):
        known = set(Product.objects.filter(public_id__in=folders).values_list("public_id", flat=True))
        listed = [path for name in folders if name not in known for path in _listed(stored_files.image_folder(name))]
        yield _step(asked, "files-of-nobody", listed)
    for root, owned_by in _ROOTS.items():
        for folders in _folders(root):
            files = {name: _listed(f"{root}/{name}") for name in folders}
            owned = owned_by(folders)
            strays = [path for name in owned for path in files[name] if path not in owned[name]]
            yield _step(asked, "files-without-row", strays)
            yield _step(
                asked, "files-of-nobody", [path for name in folders if name not in owned for path in files[name]]
            )
    waiting = _waiting_weights()
    weights = [path for path in _listed(uploads.FOLDER) if path not in waiting]
    yield _step(asked, "files-without-row", weights)


def _waiting_weights() -> set[str]:
    """The files of uploaded weights that a worker is still to register."""
    kept = Operation.objects.filter(kind=uploads.KIND, finished_at=None).values_list("parameters", flat=True)
    return {parameters.get("file") for parameters in kept}


def _step(asked: Collection[str], kind: str, paths: Sequence[str]) -> Step:
    return Step(1, 1, [Found(kind, path, path) for path in _older(paths)] if kind in asked else [])


def delete(paths: Sequence[str]) -> None:
    """Leave files to the next sweep. What any row names stays, wherever it lies: all rows are read for that."""
    named = _named(paths)
    for path in paths:
        if path not in named:
            stored_files.delete_soon(path, image=path.rsplit("/", 1)[-1][:PUBLIC_ID_LENGTH])


def _named(paths: Sequence[str]) -> set[str]:
    named: set[str] = set()
    for model in (ProductImage, DraftImage):
        rows = model._default_manager.filter(reduce(or_, (Q(**{f"{name}__in": paths}) for name in FILES)))
        named.update(name for names in rows.order_by().values_list(*FILES) for name in names)
    named.update(ImportFile.objects.filter(stored__in=paths).values_list("stored", flat=True))
    named.update(Operation.objects.filter(result_file__in=paths).values_list("result_file", flat=True))
    requests = {path.split("/")[1] for path in paths if path.startswith(f"{SPOOL}/")}
    named.update(path for owned in _of_requests(requests).values() for path in owned)
    for serving in ModelVersion.objects.values_list("serving", flat=True):
        named.update(entry["path"] for entry in weight_files.entries(serving))
    return named | _waiting_weights()


IMAGE_FILES = Check(
    "files",
    (
        Kind("files-missing", "files of images that the storage does not have"),
        Kind("files-without-row", "files that no row names, older than the sweep", delete),
        Kind("files-of-nobody", "files of products and others that this database does not have"),
    ),
    _walk,
)
