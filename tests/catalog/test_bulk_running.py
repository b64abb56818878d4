"""Bulk operations survive whatever happens meanwhile: kills, pauses, others' changes, lost rights."""

import pytest
from django.core.management import call_command
from django.db import InternalError
from django.db.models.functions import Now

from accounts.models import AuditEvent, Membership, Operation
from accounts.services import operations
from catalog import services
from catalog.models import BulkChange, Decision, Product
from catalog.services import bulk
from catalog.services.bulk import running, steps
from core.errors import Conflict, Forbidden
from tests.support.bulk_operations import finish
from tests.support.seen_products import seen_product

pytestmark = pytest.mark.django_db


@pytest.fixture
def seen(merchant):
    return [seen_product(merchant, category=("Jacket", 0.9)) for _n in range(5)]


@pytest.fixture
def small_steps(monkeypatch):
    """Two products a transaction."""
    monkeypatch.setattr(steps, "_MOST", 2)
    monkeypatch.setattr(running, "_PAUSE_SECONDS", 0)


def _start(actor, action="publish"):
    return bulk.start(actor=actor, action=action, products=Product.objects.filter(merchant=actor.merchant))


def _published(merchant):
    return Product.objects.filter(merchant=merchant, status="published").count()


def _breaks_at(monkeypatch, pk, error):
    """Let the process break off while it changes that product."""
    real = steps.state_of

    def state_of(product, taxonomy):
        if product.pk == pk:
            raise error
        return real(product, taxonomy)

    monkeypatch.setattr(steps, "state_of", state_of)


def test_a_few_are_changed_while_the_person_waits(actor, seen):
    operation = bulk.run_at_once(_start(actor))
    assert (operation.state, operation.done, operation.lease_token) == ("done", 5, "")
    assert operation.started_at
    assert operation.finished_at


def test_a_worker_leaves_those_to_the_request(actor, seen):
    operation = _start(actor)
    assert operations.continue_some() == 0
    assert bulk.run_at_once(operation).state == "done"


def test_more_are_left_to_a_worker(actor, seen, monkeypatch):
    monkeypatch.setattr("catalog.services.bulk.starting.AT_ONCE", 4)
    operation = bulk.run_at_once(_start(actor))
    assert (operation.state, operation.done) == ("queued", 0)
    assert operations.continue_some() == 5
    operation.refresh_from_db()
    assert operation.state == "done"


def test_what_a_killed_request_left_is_done_by_a_worker_once_its_lease_is_over(actor, seen, small_steps, monkeypatch):
    operation = _start(actor)
    with monkeypatch.context() as patch:
        _breaks_at(patch, seen[3].pk, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            bulk.run_at_once(operation)
    operation.refresh_from_db()
    assert (operation.state, operation.done, _published(actor.merchant)) == ("running", 2, 2)  # not the third
    decisions = Decision.objects.count()
    assert operations.continue_some() == 0
    Operation.objects.filter(pk=operation.pk).update(lease_until=Now() - operations.LEASE)
    assert operations.continue_some() == 3
    operation.refresh_from_db()
    assert (operation.state, operation.done, _published(actor.merchant)) == ("done", 5, 5)
    assert Decision.objects.count() == decisions + 3
    assert AuditEvent.objects.filter(action="product.publish").count() == 5


def test_a_step_whose_transaction_is_lost_leaves_nothing_half_done(actor, seen, small_steps, monkeypatch):
    operation = _start(actor)
    Operation.objects.update(lease_token="", lease_until=None)
    with monkeypatch.context() as patch:
        _breaks_at(patch, seen[1].pk, InternalError("the transaction is lost"))
        assert operations.continue_some() == 0
    operation.refresh_from_db()
    assert (operation.done, _published(actor.merchant)) == (0, 0)
    assert finish(operation).done == 5


def test_its_products_are_fixed_when_it_starts(actor, merchant, seen):
    operation = _start(actor)
    later = seen_product(merchant, category=("Jacket", 0.9))
    services.unpublish(actor=actor, product=services.publish(actor=actor, product=seen[0]))
    finish(operation)
    assert Product.objects.get(pk=later.pk).status == "to_review"
    assert _published(merchant) == 5


def test_a_product_that_is_deleted_meanwhile_is_counted_as_not_possible(actor, seen):
    services.archive(actor=actor, product=seen[0])
    operation = _start(actor)
    services.delete_product(actor=actor, product=seen[0])
    finish(operation)
    assert (operation.state, operation.total, operation.done, operation.failed) == ("done", 5, 4, 1)
    assert BulkChange.objects.get(operation=operation, product=None).reason == "not_found"


def test_it_is_paused_and_resumed(actor, bob, actor_of, seen, small_steps):
    operation = _start(actor)
    Operation.objects.update(lease_token="", lease_until=None)
    operations.pause(actor=actor_of(bob), operation=operation)
    assert operations.continue_some() == 0
    operations.resume(actor=actor, operation=operation)
    assert finish(operation).done == 5
    assert set(AuditEvent.objects.filter(subject_type="operation").values_list("action", flat=True)) == {
        "operation.start",
        "operation.pause",
        "operation.resume",
    }


def test_a_pause_ends_what_a_request_is_doing(actor, seen, small_steps, monkeypatch):
    operation = _start(actor)
    real = steps.take_step

    def take_step(*args):
        changes = real(*args)
        Operation.objects.filter(pk=operation.pk).update(state="running")
        return changes

    monkeypatch.setattr(running, "take_step", take_step)
    lease = operations.Lease(operation.pk, operation.lease_token)
    assert running._step(lease, services.undo.Taxonomy.load()) == 2
    operations.pause(actor=actor, operation=operation)
    assert running._step(lease, services.undo.Taxonomy.load()) == 0
    assert _published(actor.merchant) == 2


def test_it_is_cancelled_and_what_it_did_can_be_undone(actor, seen, small_steps):
    operation = _start(actor)
    running._step(operations.Lease(operation.pk, operation.lease_token), services.undo.Taxonomy.load())
    operations.cancel(actor=actor, operation=operation)
    operation.refresh_from_db()
    assert (operation.state, _published(actor.merchant)) == ("cancelled", 2)
    assert operations.continue_some() == 0
    undo = finish(bulk.start_undo(actor=actor, operation=operation))
    assert (undo.total, undo.done, _published(actor.merchant)) == (2, 2, 0)


@pytest.mark.parametrize("move", [operations.pause, operations.resume, operations.cancel])
def test_what_is_over_cannot_be_moved(actor, seen, move):
    operation = finish(_start(actor))
    with pytest.raises(Conflict):
        move(actor=actor, operation=operation)


@pytest.mark.parametrize("move", [operations.pause, operations.resume, operations.cancel])
def test_neither_viewers_nor_outsiders_move_it(actor, dana, charlie, actor_of, seen, move):
    operation = _start(actor)
    before = Operation.objects.values().get(pk=operation.pk)
    for person in (dana, charlie):
        with pytest.raises(Forbidden):
            move(actor=actor_of(person), operation=operation)
    assert Operation.objects.values().get(pk=operation.pk) == before


@pytest.mark.parametrize(
    "lose", [lambda member: member.delete(), lambda member: Membership.objects.update(role="viewer")]
)
def test_who_loses_the_right_changes_nothing_more(alice, actor, seen, lose):
    operation = _start(actor)
    lose(alice.memberships.get())
    finish(operation)
    assert (operation.state, operation.error, operation.done, _published(actor.merchant)) == (
        "failed",
        "forbidden",
        0,
        0,
    )


def test_several_operations_take_turns(actor, merchant, seen, small_steps, monkeypatch):
    monkeypatch.setattr(operations, "TURN_SECONDS", 0)
    first = _start(actor)
    second = _start(actor, "archive")
    Operation.objects.update(lease_token="", lease_until=None)
    operations.continue_some()
    assert set(Operation.objects.values_list("pk", "state", "done")) == {(first.pk, "done", 5), (second.pk, "done", 5)}
    steps_taken = AuditEvent.objects.filter(subject_type="product").order_by("id").values_list("action", flat=True)
    publish, archive = "product.publish", "product.archive"
    assert list(steps_taken) == [*[publish, publish, archive, archive] * 2, publish, archive]


def test_rows_of_long_ago_are_pruned(actor, seen):
    operation = finish(_start(actor))
    assert bulk.prune() == 0
    Operation.objects.filter(pk=operation.pk).update(finished_at="2020-01-01T00:00:00Z")
    assert bulk.prune() == 5
    assert Operation.objects.get(pk=operation.pk).done == 5


@pytest.mark.parametrize(("move", "state"), [("pause", "paused"), ("cancel", "cancelled")])
def test_an_administrator_stops_it_by_command(actor, seen, capsys, move, state):
    operation = _start(actor)
    call_command("operations", operation.public_id, move)
    operation.refresh_from_db()
    assert (operation.state, operation.lease_token) == (state, "")
    assert operations.continue_some() == 0
    assert _published(actor.merchant) == 0
