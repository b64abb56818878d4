"""The import itself: line after line, each in a transaction that also says in the line what became of it.

Whatever is killed, a line is done or it waits; files that were written for one that waits are the sweep's.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import DataError, Error, IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from accounts.actors import Actor
from accounts.models import Operation
from accounts.services.operations import Lease, end
from catalog import services
from catalog.imports.refusals import refusal, to_json
from catalog.models import CATEGORY, Decision, ImportLine, Product, ProductImport
from catalog.product_columns import NOT_APPLICABLE
from catalog.selectors import Taxonomy
from catalog.services import uploads
from catalog.services.imports import report
from catalog.services.imports.leased import Lost, Watch, fail, import_of, importer_of
from catalog.services.imports.plans import Plan, Planner, Present, present_of
from catalog.services.imports.sources import Found, PhotoFile, Sources, drop_copies
from core.db import atomic
from core.errors import Refused

logger = logging.getLogger(__name__)

State = Operation.State
Outcome = ImportLine.Outcome
Action = ImportLine.Action
Status = Product.Status

_AT_A_TIME = 100  # lines that are compared at once
_IN_ONE = 25  # lines without images in one transaction
_SECONDS = 0.25  # ... unless they take longer: others wait for their products
_PAUSE_SECONDS = 0.02  # between transactions, for others
_MOST_ATTEMPTS = 5  # at the images of one line, which may end the process


def run(lease: Lease, stop: threading.Event, seconds: float) -> int:
    """Import lines until the time is over or nothing is left; what `accounts.services.operations` calls.

    Returns:
        How many lines.
    """
    operation = lease.held.select_related("merchant", "created_by").first()
    found = import_of(operation) if operation is not None else None
    if operation is None:
        return 0
    if found is None:
        fail(lease, refusal("file_gone"))
        return 1
    try:
        with Sources(found) as sources:
            return _Import(lease, Watch(lease, stop), found, sources).carry_out(operation, stop, seconds)
    except Lost:
        return 0
    except Refused as refused:
        fail(lease, refused)
        drop_copies(found)
        return 1


@dataclass
class _Work:
    """A line, its product as it is, and what is to change."""

    line: ImportLine
    present: Present | None
    plan: Plan


class _Import:
    def __init__(self, lease: Lease, alive: Watch, found: ProductImport, sources: Sources) -> None:
        self._lease, self._alive, self._import, self._sources = lease, alive, found, sources
        self._taxonomy = Taxonomy.load()
        self._planner = Planner(self._taxonomy)

    def carry_out(self, operation: Operation, stop: threading.Event, seconds: float) -> int:
        """Import lines for so many seconds. Raises Refused, Lost."""
        until = time.monotonic() + seconds
        count = 0
        while not stop.is_set():
            actor = importer_of(operation)
            if actor is None:
                fail(self._lease, refusal("forbidden"))
                return count + 1
            dealt_with = self._some(actor, until)
            if not dealt_with:
                self._end(operation)
                return count + 1
            count += dealt_with
            if time.monotonic() >= until or not self._lease.held.exists():
                break
            stop.wait(_PAUSE_SECONDS)
        return count

    def _some(self, actor: Actor, until: float) -> int:
        """Compare the next lines with what is there, and do them until the time is over; returns how many."""
        waiting = ImportLine.objects.filter(of=self._import, outcome=Outcome.PENDING).order_by("number")
        lines = list(waiting[:_AT_A_TIME])
        asks = any(line.images for line in lines)
        present = present_of(self._import.merchant_id, {line.sku_key for line in lines}, asks)
        work = [self._compared(line, present.get(line.sku_key)) for line in lines]
        count = 0
        while count < len(work):
            if work[count].plan.images and not work[count].plan.wrong:
                self._alive()
                self._with_images(actor, work[count])
                count += 1
            else:
                count += self._write(actor, _leading(work[count:]), None)
            if time.monotonic() >= until:
                break
            self._alive()
        return count

    def _compared(self, line: ImportLine, present: Present | None) -> _Work:
        said = self._planner.reader.read(line.cells)
        plan = self._planner.plan(said, present, [Found.from_json(one) for one in line.images])
        return _Work(line, present, plan)

    def _with_images(self, actor: Actor, work: _Work) -> None:
        """Do a line with images: they are decoded and written before anything is locked."""
        ImportLine.objects.filter(pk=work.line.pk).update(attempts=F("attempts") + 1)
        if work.line.attempts >= _MOST_ATTEMPTS:
            work.plan.problems.append(refusal("gave_up"))
            work.plan.wrong = True
            self._write(actor, [work], None)
            return
        with self._prepared(work) as prepared:
            self._write(actor, [work], prepared)

    @contextmanager
    def _prepared(self, work: _Work) -> Iterator[uploads.Prepared]:
        files = [PhotoFile(self._sources, found.photo) for found in work.plan.images]
        if work.present is None:
            with uploads.prepared_product(files) as prepared:
                yield prepared
        else:
            product = work.present.product
            with uploads.prepared_files(product.public_id, files, work.present.checksums) as prepared:
                yield prepared

    @atomic
    def _write(self, actor: Actor, work: Sequence[_Work], prepared: uploads.Prepared | None) -> int:
        """Do some lines in one transaction; returns how many."""
        operation = self._lease.held.select_for_update().first()
        if operation is None:
            raise Lost
        locked = ImportLine.objects.select_for_update().filter(
            pk__in=[one.line.pk for one in work], outcome=Outcome.PENDING
        )
        waiting = {line.pk: line for line in locked}
        until = time.monotonic() + _SECONDS
        done: list[ImportLine] = []
        for one in work:
            line = waiting.get(one.line.pk)
            if line is None:
                raise Lost  # somebody else does this
            self._deal_with(actor, line, one, prepared)
            done.append(line)
            if time.monotonic() >= until:
                break
        ImportLine.objects.bulk_update(done, ["outcome", "problems", "product"])
        not_possible = sum(line.outcome in {Outcome.REFUSED, Outcome.FAILED} for line in done)
        operation.state = State.RUNNING
        operation.started_at = operation.started_at or timezone.now()
        operation.failed += not_possible
        operation.done += len(done) - not_possible
        operation.save(update_fields=["state", "started_at", "done", "failed"])
        return len(done)

    def _deal_with(self, actor: Actor, line: ImportLine, work: _Work, prepared: uploads.Prepared | None) -> None:
        """Do one line, and say in it what became of it; where it is refused, nothing of it stays."""
        problems = [to_json(problem) for problem in work.plan.problems]
        try:
            if work.plan.wrong:
                line.outcome = Outcome.REFUSED
            else:
                with transaction.atomic():
                    line.outcome, line.product = self._do(actor, work, prepared)
                problems += _of_images(work, prepared)
        except Refused as refused:
            line.outcome = Outcome.REFUSED
            problems.append(to_json(refused))
            _keep_nothing(prepared)
        except Exception as error:
            _keep_nothing(prepared)
            if isinstance(error, Error) and not isinstance(error, IntegrityError | DataError):
                raise  # the transaction is lost, and is repeated as a whole
            logger.exception("line %d of import %s cannot be imported", line.number, self._import.public_id)
            line.outcome = Outcome.FAILED
            problems.append(to_json(refusal("error")))
        line.problems = [*(one for one in line.problems if one not in problems), *problems]

    def _do(
        self, actor: Actor, work: _Work, prepared: uploads.Prepared | None
    ) -> tuple[ImportLine.Outcome, Product | None]:
        plan = work.plan
        if work.present is not None and not plan.changes:
            return Outcome.UNCHANGED, work.present.product
        if work.present is None:
            product = self._create(actor, work, prepared)
        else:
            product = self._change(actor, plan, work.present.product, prepared)
        self._decide(actor, plan.values, product)
        self._move(actor, plan, product)
        return (Outcome.CREATED if work.present is None else Outcome.CHANGED), product

    def _create(self, actor: Actor, work: _Work, prepared: uploads.Prepared | None) -> Product:
        name, sku = work.plan.name or "", work.line.sku
        product = None
        if prepared is not None:
            product = uploads.create_prepared(
                actor=actor, merchant=self._import.merchant, prepared=prepared, name=name, sku=sku
            )
        if product is None and prepared is not None and not (name or work.plan.values):
            raise next(outcome for outcome in prepared.outcomes if isinstance(outcome, Refused))
        return product or services.create_product(actor=actor, merchant=self._import.merchant, name=name, sku=sku)

    def _change(self, actor: Actor, plan: Plan, product: Product, prepared: uploads.Prepared | None) -> Product:
        if product.status == Status.ARCHIVED:
            product = services.restore(actor=actor, product=product, taxonomy=self._taxonomy)
        if plan.name is not None:
            product = services.update_product(actor=actor, product=product, name=plan.name)
        if prepared is not None and prepared.images:
            uploads.add_prepared(actor=actor, product=product, prepared=prepared)
        return product

    def _decide(self, actor: Actor, values: Mapping[str, str], product: Product) -> None:
        for code, value in sorted(values.items(), key=lambda item: item[0] != CATEGORY):
            if value == NOT_APPLICABLE:
                services.decide_not_applicable(
                    actor=actor, product=product, attribute=code, source=Decision.Source.IMPORT, taxonomy=self._taxonomy
                )
            else:
                services.decide(
                    actor=actor,
                    product=product,
                    attribute=code,
                    value=value,
                    source=Decision.Source.IMPORT,
                    taxonomy=self._taxonomy,
                )

    def _move(self, actor: Actor, plan: Plan, product: Product) -> None:
        if plan.status == Status.PUBLISHED:
            services.publish(actor=actor, product=product, while_classifying=True, taxonomy=self._taxonomy)
        elif plan.status == Status.ARCHIVED:
            services.archive(actor=actor, product=product)
        elif plan.status == Status.READY and Product.objects.filter(pk=product.pk, status=Status.PUBLISHED).exists():
            services.unpublish(actor=actor, product=product, taxonomy=self._taxonomy)

    def _end(self, operation: Operation) -> None:
        """Write the report, then end the operation with it."""
        report.write(operation, self._import, self._alive)
        self._finish()
        drop_copies(self._import)

    @atomic
    def _finish(self) -> None:
        operation = self._lease.held.select_for_update().first()
        if operation is None:
            raise Lost
        self._import.phase = ProductImport.Phase.IMPORTED
        self._import.expires_at = timezone.now()
        self._import.save(update_fields=["phase", "expires_at"])
        end(operation, State.DONE)


def _leading(work: Sequence[_Work]) -> list[_Work]:
    """The first lines that need no image, or are wrong."""
    found = []
    for one in work[:_IN_ONE]:
        if one.plan.images and not one.plan.wrong:
            break
        found.append(one)
    return found


def _of_images(work: _Work, prepared: uploads.Prepared | None) -> list[dict[str, object]]:
    """Which images of the line were turned away after all, and why."""
    if prepared is None:
        return []
    return [
        to_json(refusal("image_refused", name=found.photo.path[-120:], reason=outcome))
        for found, outcome in zip(work.plan.images, prepared.outcomes, strict=True)
        if isinstance(outcome, Refused) and outcome.code != "duplicate"
    ]


def _keep_nothing(prepared: uploads.Prepared | None) -> None:
    """The rows were rolled back, so their files must go, too."""
    if prepared is not None:
        prepared.confirmed = set()
