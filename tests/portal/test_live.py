"""The product's page while its images are being classified: what waits, what failed, what arrived."""

from datetime import timedelta

import pytest
from django.http import QueryDict
from django.utils import timezone

from catalog.models import Product
from catalog.selectors import product_for_page
from classifier.jobs import batches, requests
from classifier.models import Classification
from tests.support.drawn_images import upload
from tests.support.factories import ProductFactory
from tests.support.fake_engines import StubEngine, garment, serve

pytestmark = pytest.mark.django_db

POLLING = 'hx-trigger="every 1s"'


@pytest.fixture
def work(monkeypatch):
    """Let a worker do what waits, with an engine that finds a jacket."""
    found = garment({"Jacket": 0.8, "Jumper": 0.15}, box=(0.25, 0.1, 0.75, 0.9), material="denim", sleeve_length="long")
    engine = StubEngine(found)
    serve(monkeypatch, engine)
    return batches.classify_waiting


@pytest.fixture
def uploaded(client, product):
    client.post(f"/products/{product.public_id}/images", {"images": upload("front.jpg")})
    return product


def _live(client, product, **query):
    return client.get(f"/products/{product.public_id}/live", query)


def _seen(page):
    """The query that the page's own polling sends."""
    return QueryDict(page.split("/live?")[1].split('"')[0].replace("&amp;", "&")).dict()


def test_it_says_when_it_takes_longer_than_usual(client, uploaded):
    page = f"/products/{uploaded.public_id}"
    assert "This takes longer than usual." not in client.get(page).text
    Classification.objects.update(queued_at=timezone.now() - timedelta(seconds=61))
    late = client.get(page).text
    assert "This takes longer than usual. Nothing is lost" in late
    assert 'hx-trigger="every 15s"' in late
    assert _live(client, uploaded, seen=_seen(late)["seen"]).status_code == 204


def test_an_open_page_learns_that_it_takes_longer(client, uploaded):
    seen = _seen(client.get(f"/products/{uploaded.public_id}").text)["seen"]
    Classification.objects.update(queued_at=timezone.now() - timedelta(seconds=61))
    assert "This takes longer than usual." in _live(client, uploaded, seen=seen).text


def test_it_says_which_place_in_the_queue(client, client_of, charlie, other_merchant, product):
    other = ProductFactory(merchant=other_merchant)
    images = [upload("1.jpg", color="red"), upload("2.jpg", color="navy")]
    client_of(charlie).post(f"/products/{other.public_id}/images", {"images": images})
    client.post(f"/products/{product.public_id}/images", {"images": upload("front.jpg")})

    page = client.get(f"/products/{product.public_id}").text

    # Between the two of the other merchant: each has its turn.
    assert "waiting: place 2 in the queue" in page
    assert POLLING in page


def test_it_has_nothing_to_say_while_nothing_changes(client, uploaded):
    page = client.get(f"/products/{uploaded.public_id}").text

    assert _live(client, uploaded, **_seen(page)).status_code == 204


def test_it_brings_the_result_and_stops_asking(client, uploaded, work):
    seen = _seen(client.get(f"/products/{uploaded.public_id}").text)
    work()

    answer = _live(client, uploaded, **seen)

    assert answer.status_code == 200
    assert POLLING not in answer.text
    assert "Outerwear" in answer.text
    assert "Jacket · 80%" in answer.text
    assert 'x="25.00%" y="10.00%" width="50.00%" height="80.00%"' in answer.text
    # actions, moves, name and SKU, trouble, the review, the history, the boxes, what is not visible
    assert answer.text.count("hx-swap-oob") == 8
    assert "classified in" in answer.text
    assert "proposed Jacket 80%, Denim 90%, Long sleeve 90%" in answer.text
    assert "<html" not in answer.text


def test_it_draws_the_garments_into_each_image(client, uploaded, work):
    """On the whole page, and in what the open page asks for: the one replaces the other by its id."""
    client.post(f"/products/{uploaded.public_id}/images", {"images": upload("back.jpg", color="navy")})
    seen = _seen(client.get(f"/products/{uploaded.public_id}").text)["seen"]
    work()
    for page in (client.get(f"/products/{uploaded.public_id}").text, _live(client, uploaded, seen=seen).text):
        for image in uploaded.images.all():
            for prefix in ("boxes", "small"):
                drawn = page.split(f'id="{prefix}-{image.public_id}"')[1].split("</svg>")[0]
                assert '<rect x="25' in drawn


def test_it_asks_again_when_the_result_arrives_while_it_reads(client, uploaded, work, monkeypatch):
    seen = _seen(client.get(f"/products/{uploaded.public_id}").text)

    def read_then_work(*args):
        found = product_for_page(*args)
        work()
        return found

    with monkeypatch.context() as patch:
        patch.setattr("catalog.views.product.product_for_page", read_then_work)
        answer = _live(client, uploaded, **seen)
    assert answer.status_code == 204 or POLLING in answer.text

    assert "Jacket · 80%" in _live(client, uploaded, **seen).text


def test_it_brings_images_that_were_added_elsewhere(client, uploaded):
    seen = _seen(client.get(f"/products/{uploaded.public_id}").text)
    client.post(f"/products/{uploaded.public_id}/images", {"images": upload("back.jpg", color="navy")})

    answer = _live(client, uploaded, **seen).text

    assert 'id="images"' in answer
    assert "back.jpg" in answer


def test_it_shows_the_row_that_the_person_looks_at(client, uploaded, work):
    work()

    assert 'value="" checked' in _live(client, uploaded, top_category="").text


def test_it_says_that_no_garment_was_found(client, uploaded, monkeypatch):
    serve(monkeypatch, StubEngine())
    batches.classify_waiting()

    page = client.get(f"/products/{uploaded.public_id}").text

    assert "No garment was found in the photos. Choose the values yourself." in page
    assert POLLING not in page


def test_it_says_why_an_image_failed_and_offers_another_try(client, uploaded, work):
    Classification.objects.update(state="failed", open_key=None, error_code=Classification.Error.GAVE_UP)
    path = f"/products/{uploaded.public_id}"

    page = client.get(path).text
    assert "The classification broke off several times and was given up." in page
    assert POLLING not in page

    page = client.post(f"{path}/classify-again", follow=True).text
    assert "1 photo is classified once more." in page
    assert "broke off several times" not in page
    work()
    assert "Jacket · 80%" in client.get(path).text


def test_it_says_that_the_model_is_not_there(client, uploaded):
    Classification.objects.update(error_code=Classification.Error.MODEL_NOT_AVAILABLE)

    page = client.get(f"/products/{uploaded.public_id}").text

    assert "Model not available. The photo is kept" in page


def test_it_asks_seldom_while_there_is_no_model(client, uploaded):
    seen = _seen(client.get(f"/products/{uploaded.public_id}").text)
    Classification.objects.update(error_code=Classification.Error.MODEL_NOT_AVAILABLE)

    answer = _live(client, uploaded, **seen)

    assert "Model not available." in answer.text
    assert 'hx-trigger="every 15s"' in answer.text


def test_it_asks_often_as_long_as_one_image_waits_for_nothing_but_its_turn(client, uploaded):
    Classification.objects.update(error_code=Classification.Error.MODEL_NOT_AVAILABLE)
    client.post(f"/products/{uploaded.public_id}/images", {"images": upload("back.jpg", color="navy")})

    assert POLLING in client.get(f"/products/{uploaded.public_id}").text


def test_it_sends_the_whole_page_to_log_in_when_the_session_ended(client, uploaded):
    page = f"http://testserver/products/{uploaded.public_id}"
    client.logout()

    answer = client.get(
        f"/products/{uploaded.public_id}/live", headers={"hx-request": "true", "hx-current-url": f"{page}?photo=1"}
    )

    assert (answer.status_code, answer.content) == (401, b"")
    assert answer["HX-Redirect"] == f"/login?next=/products/{uploaded.public_id}%3Fphoto%3D1"


def test_it_keeps_a_persons_decision_through_another_classification(client, uploaded, work):
    work()
    uploaded.refresh_from_db()
    data = {"version": uploaded.version, "top_category": "Outer", "value-category": "Vest"}
    client.post(f"/products/{uploaded.public_id}/review", data)

    client.post(f"/products/{uploaded.public_id}/classify-again")
    work()

    page = client.get(f"/products/{uploaded.public_id}").text
    assert "Vest: decided by bob" in page
    assert "the model says Jacket, 80%" in page


def test_it_does_not_make_an_open_page_stale(client, uploaded, work):
    uploaded.refresh_from_db()
    seen = uploaded.version
    work()

    client.post(
        f"/products/{uploaded.public_id}/review", {"version": seen, "top_category": "Outer", "value-category": "Vest"}
    )

    uploaded.refresh_from_db()
    assert uploaded.status == Product.Status.READY


def test_it_asks_for_nothing_when_everything_waits_already(client, uploaded):
    page = client.post(f"/products/{uploaded.public_id}/classify-again", follow=True).text

    assert "Every photo waits already." in page
    assert "asked for another classification" not in page
    assert Classification.objects.count() == 1


def test_it_needs_as_many_queries_for_ten_images_as_for_one(
    client, product, work, django_assert_max_num_queries, bob, actor_of
):
    files = [upload(f"{n}.jpg", color=(20 * n, 0, 0), size=(80, 60)) for n in range(10)]
    client.post(f"/products/{product.public_id}/images", {"images": files})
    work()
    requests.classify_again(actor=actor_of(bob), product=product)
    work()

    # session, person, memberships; product, values, images, garments, predictions, their attributes and values,
    # decisions; taxonomy (3), images and their jobs, removed ones, audit trail, what else waits (2)
    with django_assert_max_num_queries(22):
        assert client.get(f"/products/{product.public_id}").status_code == 200


def test_the_page_that_is_open_gets_the_button_to_publish_without_proposals(client, uploaded):
    seen = _seen(client.get(f"/products/{uploaded.public_id}").text)
    assert _live(client, uploaded, **seen).status_code == 204
    Classification.objects.update(queued_at=timezone.now() - timedelta(seconds=11))
    assert "Publish without proposals" in _live(client, uploaded, **seen).text
