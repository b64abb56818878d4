"""A request with an Idempotency-Key that comes again: the same answer, and nothing twice."""

import uuid
from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator

from accounts.models import AuditEvent, IdempotentRequest
from accounts.services import idempotency
from catalog import services
from catalog.models import PendingFile, Product, ProductImage
from core.errors import Refused
from tests.support.api_clients import ApiClient, error_of
from tests.support.drawn_images import upload
from tests.support.stored_files import stored_files

pytestmark = pytest.mark.django_db(transaction=True)


class Killed(BaseException):
    """The process ends here."""


def keyed(key=None):
    return {"headers": {"idempotency-key": key or str(uuid.uuid4())}}


def create(api, key, **body):
    return api.send("post", "/products", body or {"name": "Coat", "sku": "C-1"}, **keyed(key))


def end_leases():
    IdempotentRequest.objects.update(lease_until=Now() - timedelta(seconds=1))


def kill_when_kept(monkeypatch):
    """End the process with the answer written, but not committed."""
    finish = idempotency.Claim.finish

    def die(self, answer):
        finish(self, answer)
        raise Killed

    monkeypatch.setattr(idempotency.Claim, "finish", die)


def test_it_answers_the_same_again(api):
    first = create(api, "a")
    again = create(api, "a")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["Content-Type"] == first.headers["Content-Type"]
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert Product.objects.count() == AuditEvent.objects.filter(action="product.create").count() == 1


def test_without_a_key_it_is_done_again(api):
    assert [api.send("post", "/products", {"name": "Coat"}).status_code for _ in range(2)] == [201, 201]
    assert Product.objects.count() == 2


def test_another_key_is_another_request(api):
    create(api, "a", name="Coat")
    create(api, "A", name="Coat")
    assert Product.objects.count() == 2


def test_the_order_of_fields_does_not_matter(api):
    create(api, "a", name="Coat", sku="C-1")
    assert create(api, "a", sku="C-1", name="Coat").headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize("body", [{"name": "Coat", "sku": "C-2"}, {"name": "Coat"}])
def test_another_body_is_refused(api, body):
    create(api, "a")
    answer = create(api, "a", **body)
    assert (answer.status_code, error_of(answer)) == (422, "idempotency_key_reused")
    assert Product.objects.count() == 1


def test_another_address_is_refused(api, product):
    body = {"name": "Coat"}
    create(api, "a", **body)
    answer = api.send("patch", f"/products/{product.public_id}", body, **keyed("a"))
    assert error_of(answer) == "idempotency_key_reused"


def test_a_change_is_not_made_again(api, product):
    address = f"/products/{product.public_id}"
    first = api.send("patch", address, {"name": "Coat"}, **keyed("a"))
    api.send("patch", address, {"name": "Jacket"})
    again = api.send("patch", address, {"name": "Coat"}, **keyed("a"))
    assert again.content == first.content
    product.refresh_from_db()
    assert product.name == "Jacket"


@pytest.mark.parametrize("key", ["", "ü", "x" * 256, "a\tb"])
def test_a_key_must_be_a_name(api, key):
    answer = api.send("post", "/products", {"name": "Coat"}, HTTP_IDEMPOTENCY_KEY=key)
    assert (answer.status_code, error_of(answer)) == (400, "idempotency_key_invalid")


def test_keys_are_their_callers_own(api, client_of, alice, other_merchant, api_key):
    create(api, "a")
    portal = client_of(alice)
    body = {"name": "Coat", "sku": "C-2"}
    answer = portal.post("/api/v1/products", body, content_type="application/json", **keyed("a"))
    assert answer.status_code == 201
    assert Product.objects.count() == 2


def test_without_credentials_nobody_learns_of_keys(api):
    create(api, "a")
    assert create(ApiClient(), "a").status_code == 401
    assert create(ApiClient("otj_000000_nothing"), "a").status_code == 401


def test_a_request_that_is_under_way_is_not_begun_again(api, monkeypatch):
    seen = []

    def meanwhile(**given):
        monkeypatch.undo()
        seen.append(create(api, "a"))
        return services.create_product(**given)

    monkeypatch.setattr("catalog.services.products.create_product", meanwhile)
    assert create(api, "a").status_code == 201
    assert (seen[0].status_code, error_of(seen[0])) == (409, "idempotency_key_in_use")
    assert int(seen[0].headers["Retry-After"]) > 0
    assert Product.objects.count() == 1


def test_what_a_killed_process_left_is_done_when_its_lease_is_over(api, monkeypatch):
    kill_when_kept(monkeypatch)
    with pytest.raises(Killed):
        create(api, "a")
    monkeypatch.undo()
    assert not Product.objects.exists()
    assert error_of(create(api, "a")) == "idempotency_key_in_use"
    end_leases()
    assert create(api, "a").status_code == 201
    assert create(api, "a").headers["Idempotent-Replayed"] == "true"
    assert Product.objects.count() == 1


def test_an_upload_and_its_answer_are_one_transaction(api, monkeypatch):
    def send():
        return api.post("/api/v1/products", {"name": "Coat", "images": [upload("a.jpg")]}, **keyed("a"))

    kill_when_kept(monkeypatch)
    with pytest.raises(Killed):
        send()
    monkeypatch.undo()
    assert not Product.objects.exists()
    assert {name.split("/", 1)[-1] for name in PendingFile.objects.values_list("path", flat=True)}
    end_leases()
    first, again = send(), send()  # each form has a boundary of its own
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert Product.objects.count() == ProductImage.objects.count() == 1


def test_a_form_without_files_and_its_answer_are_one_transaction(api, monkeypatch):
    kill_when_kept(monkeypatch)
    with pytest.raises(Killed):
        api.post("/api/v1/products", {"name": "Coat"}, **keyed("a"))
    assert not Product.objects.exists()


def test_the_content_of_files_tells_uploads_apart(api, product):
    address = f"/api/v1/products/{product.public_id}/images"
    first = api.post(address, {"images": [upload("a.jpg", color="navy")]}, **keyed("a"))
    again = api.post(address, {"images": [upload("a.jpg", color="navy")]}, **keyed("a"))
    other = api.post(address, {"images": [upload("a.jpg", color="olive")]}, **keyed("a"))
    assert again.content == first.content
    assert (first.status_code, error_of_any(other)) == (201, "idempotency_key_reused")
    assert ProductImage.objects.count() == 1
    assert len(stored_files()) == 4


def error_of_any(answer):
    assert answer.status_code == 422
    return error_of(answer)


def test_who_took_too_long_undoes_what_they_did(api, monkeypatch):
    """Somebody else has the request by then, and will do it."""
    create_product = services.create_product

    def slow(**given):
        product = create_product(**given)
        IdempotentRequest.objects.update(lease_token="somebody else's")
        return product

    monkeypatch.setattr("catalog.services.products.create_product", slow)
    answer = create(api, "a")
    assert (answer.status_code, error_of(answer)) == (409, "idempotency_key_in_use")
    assert not Product.objects.exists()


def test_a_refusal_that_stays_is_kept(api):
    first = create(api, "a", name="x" * 500)
    again = create(api, "a", name="x" * 500)
    assert (first.status_code, again.status_code) == (400, 400)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json() == first.json()
    assert again.headers["Content-Type"] == first.headers["Content-Type"]


def test_a_refusal_for_now_is_not_kept(api, product):
    """The other product may be gone by the next time."""
    body = {"sku": product.sku}
    assert create(api, "a", **body).status_code == 409
    product.delete()
    assert create(api, "a", **body).status_code == 201


def test_our_own_mistakes_are_not_kept(api, monkeypatch):
    def broken(**_given):
        raise ZeroDivisionError

    api.raise_request_exception = False
    monkeypatch.setattr("catalog.services.products.create_product", broken)
    assert create(api, "a").status_code == 500
    monkeypatch.undo()
    assert create(api, "a").status_code == 201


def test_a_body_that_cannot_be_read_is_not_kept(api):
    broken = api.post("/api/v1/products", "{", content_type="application/json", **keyed("a"))
    assert broken.status_code == 400
    assert create(api, "a").status_code == 201


def test_an_answer_is_kept_for_a_day(api):
    first = create(api, "a", name="Coat")
    kept = IdempotentRequest.objects.get().expires_at - timezone.now()
    assert timedelta(hours=23, minutes=59) < kept <= timedelta(hours=24)
    assert idempotency.prune() == 0
    IdempotentRequest.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert create(api, "a", name="Coat").json()["id"] != first.json()["id"]
    IdempotentRequest.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert idempotency.prune() == 1


def test_the_sweep_deletes_what_is_over(api):
    from classifier.jobs import sweep

    create(api, "a")
    IdempotentRequest.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    sweep.sweep()
    assert not IdempotentRequest.objects.exists()


def test_a_deadlock_is_tried_again(api, monkeypatch):
    from django.db import OperationalError

    create_product, calls = services.create_product, []

    def victim(**given):
        calls.append(create_product(**given))
        if len(calls) == 1:
            raise OperationalError(1213, "Deadlock found when trying to get lock")
        return calls[-1]

    monkeypatch.setattr("catalog.services.products.create_product", victim)
    assert create(api, "a").status_code == 201
    assert len(calls) == 2
    assert Product.objects.count() == 1


def test_every_post_and_patch_of_the_schema_takes_a_key():
    schema = SchemaGenerator().get_schema(public=True)
    found = 0
    for path in schema["paths"].values():
        for method, operation in path.items():
            names = {one["name"] for one in operation.get("parameters", ())}
            assert ("Idempotency-Key" in names) == (method in {"post", "patch"})
            if method in {"post", "patch"}:
                found += 1
                assert {"400", "409", "422"} <= set(operation["responses"])
    assert found > 5


def test_no_view_of_the_api_is_without_it():
    from django.urls import URLResolver

    from accounts.idempotent_views import Idempotent
    from config import api

    def views(patterns):
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                yield from views(pattern.url_patterns)
            else:
                yield pattern.callback

    assert all(issubclass(view.cls, Idempotent) for view in views(api.urlpatterns))


def test_what_a_view_says_of_itself_counts():
    from django.urls import resolve

    assert resolve("/api/v1/products/bulk").func.cls.one_transaction is False
    assert resolve("/api/v1/products").func.cls.one_transaction is True


def test_a_refused_service_leaves_no_row(api, monkeypatch):
    def refuse(**_given):
        raise Refused("busy", "Busy.")

    monkeypatch.setattr("catalog.services.products.create_product", refuse)
    create(api, "a")
    assert not Product.objects.exists()
    assert IdempotentRequest.objects.get().status == 400
