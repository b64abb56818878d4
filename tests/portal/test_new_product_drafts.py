"""What is uploaded on the page for a new product is no product until the person says so, and then it is one."""

from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.db.models import F

from accounts.models import AuditEvent
from catalog import files
from catalog.models import DraftImage, PendingFile, Product, ProductImage, UploadDraft
from catalog.services import drafts
from classifier.jobs import sweep
from classifier.models import Classification
from core.ids import public_id
from tests.support.drawn_images import photo, upload
from tests.support.stored_files import stored_files

pytestmark = pytest.mark.django_db(transaction=True)

SCRIPT = {"accept": "application/json"}


class Page:
    """The page's script."""

    def __init__(self, client):
        self.client = client
        self.number = public_id()

    def post(self, path, data=None):
        return self.client.post(f"/products/new/{self.number}/{path}", data or {}, headers=SCRIPT)

    def send(self, *uploads, **data):
        return self.post("images", {"images": uploads, **data}).json()["received"]

    def register(self, **data):
        return self.client.post("/products/new/", {"draft": self.number, **data}, headers=SCRIPT)


@pytest.fixture
def page(client):
    return Page(client)


def test_it_makes_no_product_before_the_person_says_so(page, client, api):
    [front] = page.send(upload("front.jpg"))

    assert front["message"] is None
    assert client.get(front["thumbnail"]).status_code == 200
    assert not Product.objects.exists()
    assert not ProductImage.objects.exists()
    assert not Classification.objects.exists()
    assert not AuditEvent.objects.exists()
    assert api.get("/api/v1/products").json()["results"] == []


def test_it_makes_one_product_of_all_images_at_once(page, merchant, bob):
    ids = [page.send(upload(f"{color}.jpg", color=color))[0]["id"] for color in ("red", "navy", "olive")]

    answer = page.register(name=" Jacket ", sku="AJ-7", order=[ids[2], ids[0], ids[1]]).json()

    product = Product.objects.get()
    assert answer["product"]["page"] == f"/products/{product.public_id}"
    assert (product.merchant, product.name, product.sku, product.created_by) == (merchant, "Jacket", "AJ-7", bob)
    assert [image.original_name for image in product.images.current()] == ["olive.jpg", "red.jpg", "navy.jpg"]
    assert product.status == Product.Status.CLASSIFYING
    assert not UploadDraft.objects.exists()
    assert not PendingFile.objects.exists()
    assert AuditEvent.objects.filter(action="product.create").count() == 1


def test_it_makes_one_product_however_often_it_is_said(page, client):
    page.send(upload())

    first, second = page.register(sku="AJ-7"), page.register(sku="AJ-7")

    assert first.json()["product"] == second.json()["product"]
    assert Product.objects.count() == 1
    assert page.post("images", {"images": upload("late.jpg", color="navy")}).json()["code"] == "registered"
    assert page.post("discard").json()["code"] == "registered"
    assert Product.objects.get().images.count() == 1


def test_a_plain_form_that_is_sent_twice_makes_one_product(client):
    number = public_id()

    answers = [client.post("/products/new/", {"draft": number, "images": upload(), "sku": "AJ-7"}) for _ in range(2)]

    assert {answer.url for answer in answers} == {f"/products/{Product.objects.get().public_id}"}


def test_a_plain_form_goes_on_with_a_draft(page, client):
    page.send(upload("front.jpg"))

    shown = client.get("/products/new/", {"draft": page.number}).text
    client.post("/products/new/", {"draft": page.number, "images": upload("back.jpg", color="navy")})

    assert "front.jpg" in shown
    assert [image.original_name for image in ProductImage.objects.all()] == ["front.jpg", "back.jpg"]


def test_a_refused_sku_costs_no_image(page, product):
    page.send(upload())

    refused = page.register(sku=product.sku)

    assert (refused.status_code, refused.json()["code"]) == (400, "sku_taken")
    assert Product.objects.count() == 1
    assert page.register(sku="AJ-8").status_code == 200


def test_it_takes_out_what_is_removed(page, client):
    [front] = page.send(upload("front.jpg"))
    page.send(upload("back.jpg", color="navy"))
    before = len(stored_files())

    assert page.post(f"images/{front['id']}/remove").status_code == 200
    assert page.post(f"images/{front['id']}/remove").status_code == 200

    assert len(stored_files()) == before // 2
    assert client.get(front["thumbnail"]).status_code == 404
    page.register()
    assert [image.original_name for image in ProductImage.objects.all()] == ["back.jpg"]


def test_it_registers_nothing_of_an_emptied_draft(page):
    [front] = page.send(upload("front.jpg"))
    page.post(f"images/{front['id']}/remove")

    assert page.register().json()["code"] == "no_images"
    assert not Product.objects.exists()


def test_a_discarded_draft_leaves_nothing(page):
    page.send(upload())

    assert page.post("discard").status_code == 200
    assert page.post("discard").status_code == 200

    assert not UploadDraft.objects.exists()
    assert not PendingFile.objects.exists()
    assert stored_files() == []
    assert page.register().json()["code"] == "no_images"


def test_it_is_found_again_with_what_was_typed(page, client):
    [front], [back] = page.send(upload("front.jpg")), page.send(upload("back.jpg", color="navy"))
    page.post("save", {"name": "Jacket", "sku": "AJ-7", "order": [back["id"], front["id"]]})

    offered = client.get("/products/new/").text
    again = client.get("/products/new/", {"draft": page.number}).text

    assert "Go on with 2 photos from" in offered
    assert f"?draft={page.number}" in offered
    assert "Go on with" in client.get("/").text
    assert again.index("back.jpg") < again.index("front.jpg")
    assert 'value="Jacket"' in again
    assert "Go on with" not in again


def test_it_says_early_what_would_be_refused(page, product):
    page.send(upload())

    answer = page.post("save", {"sku": product.sku.lower()}).json()

    assert answer["complaints"]["sku"].startswith("Another product of this shop has this SKU already.")


def test_it_points_to_the_same_photo_elsewhere_in_the_shop(page, client, charlie, client_of, product):
    other = Page(client_of(charlie))
    other.send(upload("theirs.jpg"))
    other.register(name="Theirs")
    client.post(f"/products/{product.public_id}/images", {"images": upload("front.jpg")})

    [front] = page.send(upload("same.jpg"))

    assert front["same"] == [{"name": product.name, "page": f"/products/{product.public_id}"}]
    assert front["message"] is None


@pytest.mark.parametrize("who", ["alice", "charlie"])
def test_a_draft_is_its_owners_alone(page, client_of, request, who):
    [front] = page.send(upload())
    other = Page(client_of(request.getfixturevalue(who)))
    other.number = page.number

    assert other.client.get(front["thumbnail"]).status_code == 404
    assert "Go on with" not in other.client.get("/products/new/").text
    assert other.post("images", {"images": upload("back.jpg", color="navy")}).status_code == 410
    assert other.post(f"images/{front['id']}/remove").status_code == 410
    other.post("discard")

    assert UploadDraft.objects.get().images.count() == 1
    assert page.register().status_code == 200


def test_viewers_have_no_drafts(client_of, dana):
    page = Page(client_of(dana))

    assert page.post("images", {"images": upload()}).status_code == 403
    assert page.post("discard").status_code == 403
    assert not UploadDraft.objects.exists()
    assert stored_files() == []


def test_a_number_that_is_none_begins_nothing(page):
    page.number = "x"

    assert page.post("images", {"images": upload()}).status_code == 410
    assert stored_files() == []


def test_it_refuses_the_bad_ones_and_what_is_there_already(page):
    page.send(upload("front.jpg"))

    bad, same = page.send(upload("letter.jpg", b"Dear all"), upload("again.jpg"))

    assert bad["code"] == "not_an_image"
    assert (bad["id"], same["code"], same["id"]) == (None, "duplicate", DraftImage.objects.get().public_id)
    assert DraftImage.objects.count() == 1


def test_it_takes_no_more_than_a_product_may_have(page, settings):
    settings.OTJANG_MAX_IMAGES_PER_PRODUCT = 2

    received = [page.send(upload(f"{color}.jpg", color=color))[0]["code"] for color in ("red", "navy", "olive")]

    assert received == [None, None, "too_many_images"]
    assert DraftImage.objects.count() == 2


def let_pass(time):
    """Let so much time pass for drafts, as the database's clock has it."""
    UploadDraft.objects.update(expires_at=F("expires_at") - time)
    PendingFile.objects.update(delete_after=F("delete_after") - time)


def test_it_is_dropped_with_its_files_after_a_day(page, client):
    page.send(upload())
    assert sweep.prune() is None
    assert UploadDraft.objects.count() == 1
    let_pass(drafts.LIFETIME + timedelta(minutes=1))

    assert client.get("/products/new/", {"draft": page.number}).text.count("front.jpg") == 0
    assert page.register().status_code == 400
    sweep.prune()

    assert not UploadDraft.objects.exists()
    assert not PendingFile.objects.exists()
    assert stored_files() == []
    assert not Product.objects.exists()


def test_each_image_gives_the_whole_draft_another_day(page):
    page.send(upload("front.jpg"))
    let_pass(drafts.LIFETIME - timedelta(minutes=1))
    page.send(upload("back.jpg", color="navy"))
    let_pass(timedelta(hours=1))

    sweep.prune()
    page.register()

    assert Product.objects.get().images.count() == 2
    assert all(default_storage.exists(image.original.name) for image in ProductImage.objects.all())


def test_files_that_a_sweep_took_make_no_product(page):
    page.send(upload())
    files.delete_due()  # nothing is due
    PendingFile.objects.update(tries=1)

    assert page.register().json()["code"] == "upload_expired"
    assert not Product.objects.exists()


def test_an_upload_that_breaks_off_leaves_nothing_of_a_draft(page, monkeypatch, client):
    def broken(*args, **kwargs):
        raise RuntimeError

    monkeypatch.setattr(drafts, "_keep", broken)
    client.raise_request_exception = False

    assert page.post("images", {"images": upload()}).status_code == 500
    assert stored_files() == []
    assert not UploadDraft.objects.exists()


def test_the_old_address_leads_to_the_new_one(client):
    assert client.get("/products/new?draft=x").url == "/products/new/?draft=x"


def test_it_says_that_a_draft_was_registered(page, client):
    page.send(upload("front.jpg", photo()))
    page.register(name="Jacket")

    shown = client.get("/products/new/", {"draft": page.number}).text

    assert "These photos were registered already:" in shown
    assert "Jacket" in shown
