"""The dry run: every line is read and compared with what is there, and nothing else is written.

One process does it from beginning to end; if that is killed, the next one begins again.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count
from django.utils import timezone

from accounts.models import Operation
from accounts.services.operations import Lease, end
from catalog.imports import xlsx_tables
from catalog.imports.refusals import refusal, to_json
from catalog.imports.tables import Heads
from catalog.models import ImportLine, Product, ProductImage, ProductImport
from catalog.product_columns import IMAGES, SKU, UPDATED, Column, column_called, columns_of
from catalog.search import normalized
from catalog.selectors import Taxonomy
from catalog.services.imports.leased import Lost, Watch, fail, import_of
from catalog.services.imports.plans import Planner, Present, Said, present_of
from catalog.services.imports.sources import Found, Photo, PhotoIndex, Sources, drop_copies, likely_skus, sku_keys
from core.db import atomic
from core.errors import Refused
from core.text import lookup_key

State = Operation.State
Action = ImportLine.Action

_BATCH = 250
_MOST_ELSEWHERE = 2_000  # a size chart may be in thousands of products
_DELETED_AT_ONCE = 2_000


def run(lease: Lease, stop: threading.Event, seconds: float) -> int:
    """Check an import from beginning to end; what `accounts.services.operations` calls. Returns how many lines."""
    operation = lease.held.first()
    found = import_of(operation) if operation is not None else None
    if operation is None:
        return 0
    if found is None:
        fail(lease, refusal("file_gone"))
        return 1
    check = _Check(lease, Watch(lease, stop), found)
    try:
        return check.carry_out()
    except Lost:
        return 0
    except Refused as refused:
        fail(lease, refused)
        return 1
    finally:
        drop_copies(found)


def guessed(heads: Heads, taxonomy: Taxonomy) -> list[dict[str, Any]]:
    """Say which of our columns each column of a table is, by its head; of two alike the first."""
    columns, taken = columns_of(taxonomy), set[str]()
    found = []
    for head, samples in zip(heads.heads, heads.samples, strict=True):
        column = column_called(head, columns) or _spaced_otherwise(head, columns) if head else None
        code = column.code if column is not None and column.code not in taken | {UPDATED} else ""
        taken.add(code)
        found.append({"head": head, "samples": samples, "column": code})
    return found


@dataclass
class _Raw:
    """A line before it is compared."""

    number: int
    cells: dict[str, Any]
    said: Said
    photos: list[Photo] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    problems: list[Refused] = field(default_factory=list)
    found: list[Found] = field(default_factory=list)


class _Check:
    def __init__(self, lease: Lease, alive: Watch, found: ProductImport) -> None:
        self._lease, self._alive, self._import = lease, alive, found
        self._taxonomy = Taxonomy.load()
        self._planner = Planner(self._taxonomy)
        self._last = 0
        self._count = 0

    def carry_out(self) -> int:
        """Check everything. Raises Refused, Lost."""
        self._forget()
        with Sources(self._import) as sources:
            table = sources.table()
            self._index = PhotoIndex(sources.photos)
            self._sources = sources
            if table is None:
                lines = self._lines_of_photos(sources.photos)
            else:
                mapping = self._mapping(table.heads())
                self._begin(table.count(self._alive))
                lines = self._lines_of_table(table.lines(), mapping)
            for batch in _batched(lines):
                self._take(batch)
            if table is not None:
                for some in _batched(self._left_over()):
                    self._write([(line, None) for line in some])
        if not self._count:
            raise refusal("no_images" if table is None else "table_empty")
        self._end()
        return self._count

    def _forget(self) -> None:
        """Delete what an earlier check has found."""
        old = ImportLine.objects.filter(of=self._import).order_by("pk")
        while ids := list(old.values_list("pk", flat=True)[:_DELETED_AT_ONCE]):
            self._alive()
            ImportLine.objects.filter(pk__in=ids).delete()

    def _begin(self, total: int) -> None:
        self._lease.held.update(state=State.RUNNING, started_at=timezone.now(), total=total, done=0, failed=0)

    def _mapping(self, heads: Heads) -> dict[int, str]:
        """Which column of ours each column of the table is: as somebody said, or as its head says."""
        said = self._import.columns
        if [column["head"] for column in said] != heads.heads:
            said = guessed(heads, self._taxonomy)
            self._import.columns = said
            self._import.save(update_fields=["columns"])
        mapping = {place: column["column"] for place, column in enumerate(said) if column["column"]}
        if SKU not in mapping.values():
            raise refusal("no_sku_column")
        return mapping

    def _lines_of_table(self, lines: Iterable[tuple[int, list[Any]]], mapping: Mapping[int, str]) -> Iterator[_Raw]:
        for number, row in lines:
            cells = {code: row[place] for place, code in mapping.items() if place < len(row) and row[place] != ""}
            yield self._raw(number, cells)

    def _raw(self, number: int, cells: dict[str, Any], photos: Sequence[Photo] | None = None) -> _Raw:
        said = self._planner.reader.read(cells)
        raw = _Raw(number, cells, said)
        if photos is not None:
            raw.photos = list(photos)
        elif said.images:
            raw.names = list(said.images)
        elif said.sku:
            raw.photos = self._index.of_sku(said.sku_key)
        return raw

    def _lines_of_photos(self, photos: Sequence[Photo]) -> Iterator[_Raw]:
        """One line for each SKU that the images' names or folders say."""
        likely = likely_skus(photo for photo in photos if self._index.is_image(photo))
        known = self._known({key for photo in likely for key in sku_keys(photo.path)})
        groups: dict[str, tuple[str, list[Photo]]] = {}
        for photo, sku in likely.items():
            sku = next((known[key] for key in sku_keys(photo.path) if key in known), sku)
            groups.setdefault(lookup_key(sku), (sku, []))[1].append(photo)
        self._begin(len(groups))
        for number, (sku, some) in enumerate(groups.values(), 1):
            yield self._raw(number, {SKU: sku}, PhotoIndex.in_order(some))

    def _known(self, keys: set[str]) -> dict[str, str]:
        """The SKUs that products of the merchant have, by their keys."""
        found: dict[str, str] = {}
        products = Product.objects.filter(merchant=self._import.merchant_id)
        for some in _batched(sorted(keys)):
            self._alive()
            rows = products.filter(sku_key__in=some).order_by().values_list("sku_key", "sku")
            found |= {str(key): str(sku) for key, sku in rows}
        return found

    def _take(self, batch: list[_Raw]) -> None:
        """Compare some lines with what is there, and write down what came of it."""
        asks = any(raw.photos or raw.names for raw in batch)
        present = present_of(self._import.merchant_id, {raw.said.sku_key for raw in batch}, asks)
        twice = self._twice(batch)
        for raw in batch:
            self._alive()
            self._find(raw, present.get(raw.said.sku_key))
            if raw.number in twice:
                raw.problems.append(refusal("sku_twice", line=twice[raw.number]))
        self._note_elsewhere(batch)
        done = []
        for raw in batch:
            plan = self._planner.plan(raw.said, present.get(raw.said.sku_key), raw.found)
            plan.wrong = plan.wrong or raw.number in twice
            if plan.new and not plan.images and set(raw.cells) <= {SKU}:
                # nothing would come of it but an empty product: its images cannot be read, or there are none
                plan.wrong = plan.wrong or bool(raw.problems)
            line = ImportLine(
                of=self._import,
                number=raw.number,
                sku=raw.said.sku,
                sku_key=raw.said.sku_key,
                cells={code: _stored(cell) for code, cell in raw.cells.items()},
                images=[found.to_json() for found in plan.images],
                action=plan.action,
                changes=[] if plan.wrong else plan.changes,
                problems=[to_json(problem) for problem in (*plan.problems, *raw.problems)],
            )
            done.append((line, present.get(raw.said.sku_key)))
        self._write(done)

    def _find(self, raw: _Raw, present: Present | None) -> None:
        """Find the images of a line and look at each."""
        for name in raw.names:
            if "://" in name:
                raw.problems.append(refusal("image_address", name=name[:120]))
                continue
            try:
                raw.photos.append(self._index.named(name, raw.said.sku_key))
            except Refused as refused:
                if refused.code != "image_missing" or present is None or name not in present.names:
                    raw.problems.append(refused)
        known = present.checksums if present is not None else ()
        for photo in raw.photos:
            self._alive()
            try:
                raw.found.append(self._sources.look_at(photo, known))
            except Refused as refused:
                raw.problems.append(refusal("image_refused", name=photo.path[-120:], reason=refused.kept()))

    def _note_elsewhere(self, batch: Sequence[_Raw]) -> None:
        """Say of images that another product has them as well; that is allowed, but may be a slip."""
        checksums = {found.sha256 for raw in batch for found in raw.found}
        others: dict[str, tuple[str, str]] = {}
        if checksums:
            same = ProductImage.objects.filter(
                sha256__in=checksums, archived_at=None, product__merchant=self._import.merchant_id
            ).exclude(product__status=Product.Status.ARCHIVED)
            for checksum, key, sku, name in same.order_by().values_list(
                "sha256", "product__sku_key", "product__sku", "product__name"
            )[:_MOST_ELSEWHERE]:
                others[checksum] = key or "", sku or name
        for raw in batch:
            for found in raw.found:
                key, product = others.get(found.sha256, (raw.said.sku_key, ""))
                if key != raw.said.sku_key:
                    raw.problems.append(refusal("image_elsewhere", name=found.photo.path[-120:], product=product))

    def _twice(self, batch: Sequence[_Raw]) -> dict[int, int]:
        """Lines whose SKU an earlier line has, with that line's number."""
        keys = {raw.said.sku_key for raw in batch if raw.said.sku_key}
        before = ImportLine.objects.filter(of=self._import, sku_key__in=keys).order_by("-number")
        first = dict(before.values_list("sku_key", "number"))
        found = {}
        for raw in batch:
            if not raw.said.sku_key:
                continue
            if raw.said.sku_key in first:
                found[raw.number] = first[raw.said.sku_key]
            else:
                first[raw.said.sku_key] = raw.number
        return found

    def _left_over(self) -> Iterator[ImportLine]:
        """A line for each image that belongs to none, after those of the table."""
        for number, photo in enumerate(self._index.left_over(), self._last + 1):
            yield ImportLine(
                of=self._import,
                number=number,
                cells={IMAGES: photo.path},
                action=Action.WRONG,
                problems=[to_json(refusal("image_unmatched", name=photo.path[-120:]))],
            )

    @atomic
    def _write(self, lines: Sequence[tuple[ImportLine, Present | None]]) -> None:
        operation = self._lease.held.select_for_update().first()
        if operation is None:
            raise Lost
        number = self._last
        for line, present in lines:
            line.pk = None  # the transaction may be repeated
            line.product = present.product if present is not None else None
            number = max(number, line.number)
        ImportLine.objects.bulk_create([line for line, _present in lines])
        wrong = sum(line.action == Action.WRONG for line, _present in lines)
        operation.failed += wrong
        operation.done += len(lines) - wrong
        operation.total = max(operation.total, operation.done + operation.failed)
        operation.save(update_fields=["done", "failed", "total"])
        self._last, self._count = number, operation.done + operation.failed

    @atomic
    def _end(self) -> None:
        operation = self._lease.held.select_for_update().first()
        if operation is None:
            raise Lost
        found = ImportLine.objects.filter(of=self._import).order_by().values_list("action").annotate(Count("pk"))
        self._import.counts = dict(found)
        self._import.phase = ProductImport.Phase.CHECKED
        self._import.refusal = {}
        self._import.save(update_fields=["counts", "phase", "refusal"])
        operation.total = operation.done + operation.failed
        end(operation, State.DONE)


def _spaced_otherwise(head: str, columns: Iterable[Column]) -> Column | None:
    """The column whose head is the same but for its spaces, which Korean sets either way."""
    wanted = normalized(head).replace(" ", "")
    return next((one for one in columns if wanted in {called.replace(" ", "") for called in one.called}), None)


def _stored(cell: Any) -> str:
    return "=…" if cell is xlsx_tables.FORMULA else str(cell)


def _batched(items: Iterable[Any]) -> Iterator[list[Any]]:
    iterator = iter(items)
    while some := list(itertools.islice(iterator, _BATCH)):
        yield some
