"""Results of operations: written once, downloaded at their end, deleted after a week."""

from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.http import Http404
from django.utils import timezone

from accounts.models import Operation
from accounts.services import result_files


def started(**fields):
    return Operation.objects.create(kind="export_products", state=Operation.State.RUNNING, **fields)


def over(operation, **ago):
    operation.state, operation.finished_at = Operation.State.DONE, timezone.now() - timedelta(**ago)
    operation.save()
    return operation


def written(operation, content=b"a,b\r\n"):
    with result_files.open_new(operation, "products.csv") as file:
        file.write(content)
    return operation


@pytest.mark.django_db
def test_a_result_is_downloaded_when_the_operation_is_over_and_not_before():
    operation = written(started())
    with pytest.raises(Http404):
        result_files.download_response(operation)
    answer = result_files.download_response(over(operation))
    assert b"".join(answer.streaming_content) == b"a,b\r\n"
    assert 'filename="products.csv"' in answer.headers["Content-Disposition"]
    assert answer.headers["Cache-Control"] == "private, no-store"


@pytest.mark.django_db
def test_who_writes_it_again_after_a_kill_replaces_what_was_there():
    operation = written(written(started(), b"half"), b"whole")
    answer = result_files.download_response(over(operation))
    assert b"".join(answer.streaming_content) == b"whole"
    assert default_storage.listdir(f"operations/{operation.public_id}")[1] == ["products.csv"]


@pytest.mark.django_db
def test_what_breaks_off_leaves_no_file():
    operation = started()
    with pytest.raises(RuntimeError), result_files.open_new(operation, "products.csv") as file:
        file.write(b"half")
        raise RuntimeError
    operation.refresh_from_db()
    assert not default_storage.exists(operation.result_file)


@pytest.mark.django_db
def test_results_are_deleted_a_week_after_the_end():
    old, new = over(written(started()), days=8), over(written(started()), days=6)
    name = old.result_file
    assert result_files.prune() == 1
    assert not default_storage.exists(name)
    old.refresh_from_db()
    assert not old.result_file
    assert result_files.is_there(new)
    assert result_files.prune() == 0
