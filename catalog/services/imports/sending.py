"""Imports begin, take files, are checked, mapped, started and forgotten."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import PurePath
from typing import Any

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db.models import Count, QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from accounts.models import Merchant, Operation
from accounts.services import operations
from catalog.imports.archives import is_archive
from catalog.imports.refusals import refusal
from catalog.imports.tables import check_kind, is_table
from catalog.models import ImportFile, ImportLine, ProductImport
from catalog.product_columns import columns_of
from catalog.selectors import Taxonomy
from catalog.services.imports.leased import CHECK, IMPORT
from core.db import atomic
from core.errors import Conflict, Gone
from core.ids import public_id
from core.text import has_control_characters
from vision.engine import formats

State = Operation.State
Phase = ProductImport.Phase
Kind = ImportFile.Kind
Outcome = ImportLine.Outcome

_FOLDER = "imports"
_LIFETIME = timedelta(days=2)  # of files that nobody imports
_LINES_KEPT = timedelta(days=30)
_MOST_OPEN = 10  # imports of a merchant that wait for their "import"
_CHUNK = 2_000


def of_merchant(actor: Actor) -> QuerySet[ProductImport]:
    """Imports of the merchant that the actor works in, the newest first."""
    if actor.merchant is None:
        return ProductImport.objects.none()
    return ProductImport.objects.filter(merchant=actor.merchant).select_related("operation__api_key", "created_by")


def begin(*, actor: Actor, merchant: Merchant) -> ProductImport:
    """Begin an import, which has no files yet.

    Raises:
        Forbidden: the actor may only look.
        Conflict: `too_many_imports`.
    """
    actor.require_edit(merchant.pk)
    begun = ProductImport.objects.filter(merchant=merchant, expires_at__gt=timezone.now())
    waiting = begun.exclude(phase=Phase.IMPORTED).exclude(operation__kind=IMPORT)
    if waiting.count() >= _MOST_OPEN:
        raise Conflict(
            "too_many_imports",
            _("%(limit)d imports wait for you to start or drop them. Do that first."),
            {"limit": _MOST_OPEN},
        )
    return ProductImport.objects.create(merchant=merchant, created_by=actor.user, expires_at=timezone.now() + _LIFETIME)


def kind_of(name: str, head: bytes) -> ImportFile.Kind:
    """Say what a file is by its name and its first bytes.

    Raises:
        Refused: it is nothing that can be imported.
    """
    check_kind(name, head)
    ending = PurePath(name).suffix.lower()
    if is_table(name):
        return Kind.TABLE
    if is_archive(head) or ending == ".zip":
        return Kind.ARCHIVE
    if ending in formats.SUFFIXES:
        return Kind.IMAGE
    raise refusal("unknown_kind", file=name)


def add_file(*, actor: Actor, found: ProductImport, file: File[bytes], path: str = "") -> ImportFile:
    """Store a file of an import; it is only looked at by its first bytes.

    Args:
        actor: who sends it.
        found: an import that has not been started.
        file: the bytes, on disk or in memory.
        path: its name with the folders that it lies in; without it, the file's name.

    Raises:
        Refused: it is of no kind that can be imported, or too large: see `catalog.imports.refusals`.
        Conflict: `import_started`. Gone: the import was dropped. Forbidden: the actor may only look.
    """
    actor.require_edit(found.merchant_id)
    _require_open(found)
    name = _clean(path or file.name or "file")
    size = file.size or 0
    file.seek(0)
    kind = kind_of(name, file.read(16))
    file.seek(0)
    _check_sizes(found, kind, size)
    row = ImportFile.objects.create(
        of=found, kind=kind, name=name, size=size, stored=f"{_FOLDER}/{found.public_id}/{public_id()}"
    )
    stored = default_storage.save(row.stored, file)
    if stored != row.stored:
        ImportFile.objects.filter(pk=row.pk).update(stored=stored)
    return row


def _clean(path: str) -> str:
    text = "".join(character for character in path.replace("\\", "/") if not has_control_characters(character))
    parts = [part for part in text.split("/") if part not in {"", ".", ".."}]
    return "/".join(parts)[-255:] or "file"


def _check_sizes(found: ProductImport, kind: ImportFile.Kind, size: int) -> None:
    limit = settings.OTJANG_IMPORT_MAX_TABLE_BYTES
    if kind == Kind.TABLE and size > limit:
        raise refusal("table_too_large", megabytes=size // 2**20, limit=limit // 2**20)
    limit = settings.OTJANG_IMPORT_MAX_BYTES
    if size + (found.files.aggregate(sum=Sum("size"))["sum"] or 0) > limit:
        raise refusal("files_too_large", limit=limit // 2**20)
    if found.files.count() >= settings.OTJANG_IMPORT_MAX_ENTRIES:
        raise refusal("too_many_files", limit=settings.OTJANG_IMPORT_MAX_ENTRIES)


def _require_open(found: ProductImport) -> None:
    if not ProductImport.objects.filter(pk=found.pk).exists():
        raise Gone("not_found", _("This import was dropped meanwhile."))
    busy = found.operation is not None and found.operation.finished_at is None
    started = found.operation is not None and found.operation.kind == IMPORT
    if busy or started or found.phase == Phase.IMPORTED:
        raise Conflict("import_started", _("This import is under way or over. Begin another one."))


def _locked(actor: Actor, found: ProductImport) -> ProductImport:
    """Lock an import that may be checked or started. Raises as `_require_open` does."""
    actor.require_edit(found.merchant_id)
    locked = ProductImport.objects.select_for_update().filter(pk=found.pk).first()
    if locked is None:
        raise Gone("not_found", _("This import was dropped meanwhile."))
    _require_open(locked)
    return locked


def _start(actor: Actor, found: ProductImport, kind: str, total: int) -> Operation:
    operation = Operation.objects.create(
        kind=kind,
        merchant=found.merchant,
        created_by=actor.user,
        api_key=actor.api_key,
        impersonator=actor.impersonator,
        total=total,
        parameters={"import": found.public_id, "channel": str(actor.channel)},
    )
    found.operation = operation
    found.expires_at = timezone.now() + _LIFETIME
    return operation


@atomic
def start_check(*, actor: Actor, found: ProductImport, columns: Mapping[int, str] | None = None) -> Operation:
    """Let a worker look through the files; nothing else is written.

    Args:
        actor: who asks.
        found: the import.
        columns: which of our columns each column of the table is, by its place; others are left out. None leaves it.

    Raises:
        Refused: `nothing_sent`, `no_sku_column`, `column_twice`.
        Conflict: `import_started`. Gone, Forbidden.
    """
    found = _locked(actor, found)
    if not found.files.exists():
        raise refusal("nothing_sent")
    if columns is not None:
        _map(found, columns)
    operation = _start(actor, found, CHECK, 0)
    found.phase, found.refusal, found.counts = Phase.OPEN, {}, {}
    found.save()
    return operation


def _map(found: ProductImport, columns: Mapping[int, str]) -> None:
    known = {column.code for column in columns_of(Taxonomy.load())}
    taken = set()
    for place, column in enumerate(found.columns):
        code = columns.get(place, "")
        column["column"] = code if code in known else ""
        if code and code in taken:
            raise refusal("column_twice", column=code)
        taken.add(column["column"])
    if "sku" not in taken:
        raise refusal("no_sku_column")


@atomic
def start(*, actor: Actor, found: ProductImport) -> Operation:
    """Import what was checked. Who asks again gets the operation that there is.

    Raises:
        Conflict: `not_checked`, `nothing_to_import`, `import_started`. Gone, Forbidden.
    """
    current = ProductImport.objects.select_for_update().filter(pk=found.pk).select_related("operation").first()
    if current is not None and current.operation is not None and current.operation.kind == IMPORT:
        actor.require_edit(current.merchant_id)
        return current.operation
    found = _locked(actor, found)
    if found.phase != Phase.CHECKED:
        raise Conflict("not_checked", _("This import has not been checked yet."))
    lines = ImportLine.objects.filter(of=found)
    total = lines.count()
    operation = _start(actor, found, IMPORT, total)
    operation.failed = lines.filter(action=ImportLine.Action.WRONG).update(outcome=Outcome.REFUSED)
    if operation.failed == total:
        raise Conflict("nothing_to_import", _("No line can be imported. Mend the file and send it again."))
    operation.save(update_fields=["failed"])
    found.save(update_fields=["operation", "expires_at"])
    operations.note(actor, operation, "start", total=total)
    return operation


@atomic
def drop(*, actor: Actor, found: ProductImport) -> None:
    """Forget an import that is not under way, with its files. Raises Conflict `import_started`, Forbidden."""
    actor.require_edit(found.merchant_id)
    locked = ProductImport.objects.select_for_update().filter(pk=found.pk).select_related("operation").first()
    if locked is None:
        return
    operation = locked.operation
    if operation is not None and operation.kind == IMPORT and operation.finished_at is None:
        raise Conflict("import_started", _("This import is under way or over. Begin another one."))
    if operation is not None and operation.finished_at is None:
        operations.cancel(actor=actor, operation=operation)
    locked.expires_at = timezone.now()
    locked.phase = Phase.IMPORTED if locked.phase == Phase.IMPORTED else Phase.OPEN
    locked.counts = {}
    locked.save(update_fields=["expires_at", "phase", "counts"])


def prune(goes_on: Callable[[], bool] = lambda: True) -> int:
    """Delete the files of imports whose time is over, and what is known of their lines a month later.

    One that is under way stays. Returns how many imports lost their files or lines.
    """
    count = 0
    now = timezone.now()
    due = ProductImport.objects.filter(expires_at__lte=now).exclude(operation__state__in=operations.ALIVE)
    for found in due.filter(files__isnull=False).distinct().order_by("pk")[:100]:
        if not goes_on():
            return count
        delete_files(found)
        count += 1
    old = due.filter(expires_at__lte=now - _LINES_KEPT)
    for found in [*old.order_by("pk")[:100], *due.filter(phase=Phase.OPEN, files__isnull=True).order_by("pk")[:100]]:
        if not _delete_lines(found, goes_on):
            return count
        found.delete()
        count += 1
    return count


def delete_of_closed(merchant: Merchant, goes_on: Callable[[], bool]) -> bool:
    """Delete all imports of a merchant that is closed for good, with files and lines; False if it was stopped."""
    for found in ProductImport.objects.filter(merchant=merchant).order_by("pk"):
        delete_files(found)
        if not _delete_lines(found, goes_on):
            return False
        found.delete()
    return True


def delete_files(found: ProductImport) -> None:
    """Delete the files of an import from the storage, then their rows."""
    for file in found.files.all():
        default_storage.delete(file.stored)
        file.delete()


def _delete_lines(found: ProductImport, goes_on: Callable[[], bool]) -> bool:
    lines = ImportLine.objects.filter(of=found).order_by("pk")
    while ids := list(lines.values_list("pk", flat=True)[:_CHUNK]):
        if not goes_on():
            return False
        ImportLine.objects.filter(pk__in=ids).delete()
    return True


def counts_of(found: ProductImport) -> dict[str, Any]:
    """How many lines came to what, by their outcomes (one query)."""
    rows = ImportLine.objects.filter(of=found).order_by().values_list("outcome").annotate(Count("pk"))
    return dict(rows)


def was_dropped(found: ProductImport) -> bool:
    """Whether nobody wants it any more, or nobody did in time: pages show it no longer."""
    waits = found.operation is not None and found.operation.finished_at is None
    started = found.operation is not None and found.operation.kind == IMPORT
    return not started and not waits and found.expires_at <= timezone.now()
