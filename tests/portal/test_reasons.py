"""Why a garment is proposed as the product, on the product's page."""

import pytest
from django.utils import translation

from catalog.models import Product
from catalog.proposal import Reason, ReasonCode
from classifier.jobs import batches
from tests.support.drawn_images import upload
from tests.support.fake_engines import StubEngine, garment, serve
from tests.support.written_proposals import candidate, propose

pytestmark = pytest.mark.django_db

JACKET = {"category": {"Jacket": 0.98}, "box": (0.2, 0.1, 0.8, 0.6)}
JEANS = {"category": {"Jeans": 0.98}, "box": (0.3, 0.6, 0.7, 0.95)}


@pytest.fixture
def outfit(monkeypatch, client, product):
    """A product with a photo of a jacket and jeans, looked at by a worker."""
    client.post(f"/products/{product.public_id}/images", {"images": upload("front.jpg")})
    serve(monkeypatch, StubEngine(garment(**JACKET), garment(**JEANS)))
    batches.classify_waiting()
    return product


def _page(client, product):
    return client.get(f"/products/{product.public_id}").text


def _label(page, level):
    return page[page.index(f'id="garment-{level}"') :].split("</label>")[0]


def _reasons(page, level):
    return [part.split("</span>")[0] for part in _label(page, level).split('<span class="reason">')[1:]]


def test_it_shows_what_speaks_for_each_garment(client, outfit):
    page = _page(client, outfit)
    assert _reasons(page, "Outer") == ["largest in 1 of 1 photos", "the name says “jacket”"]
    assert _reasons(page, "Bottom") == ["but the name says “jacket”"]


def test_it_proposes_again_with_another_name(client, outfit):
    client.post(f"/products/{outfit.public_id}/details", {"name": "와이드 청바지", "sku": ""})
    outfit.refresh_from_db()
    assert outfit.name == "와이드 청바지"
    page = _page(client, outfit)
    assert "the name says “청바지”" in _reasons(page, "Bottom")
    assert "but the name says “청바지”" in _reasons(page, "Outer")
    assert outfit.proposal.candidates[0].top_category == "Bottom"


def test_it_leaves_out_what_was_decided_otherwise(client, outfit):
    data = {"version": outfit.version, "top_category": "Outer", "value-category": "Coat"}
    assert "Jacket" in _label(_page(client, outfit), "Outer")
    client.post(f"/products/{outfit.public_id}/review", data)
    page = _page(client, outfit)
    assert "Jacket" not in _label(page, "Outer")
    assert "Jeans" in _label(page, "Bottom")


def test_it_leaves_what_a_person_chose_alone_when_it_is_renamed(client, outfit):
    data = {"version": outfit.version, "top_category": "Outer"}
    client.post(f"/products/{outfit.public_id}/review", data)
    client.post(f"/products/{outfit.public_id}/details", {"name": "와이드 청바지", "sku": ""})
    outfit.refresh_from_db()
    assert (outfit.top_category.code, outfit.top_category_source) == ("Outer", Product.TopCategorySource.HUMAN)


def test_it_says_it_in_korean():
    with translation.override("ko"):
        texts = [Reason(code, 1, 2, "자켓").text for code in ReasonCode]
    assert texts == [
        "옷이 보이는 사진 2장 중 1장에 있음",
        "2장 중 1장에 이 옷만 있음",
        "2장 중 1장에서 가장 큼",
        "2장 중 1장에서 화면 대부분을 차지",
        "이름에 ‘자켓’ 있음",
        "하지만 이름에는 ‘자켓’ 있음",
    ]


def test_it_shows_proposals_from_before_there_were_reasons(client, product):
    propose(product, candidate("Outer", 0.9, category=("Jacket", 0.94)), chosen="Outer")
    assert _reasons(_page(client, product), "Outer") == []
