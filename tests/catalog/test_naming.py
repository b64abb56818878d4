"""What else than a garment a product's name mentions is offered, and changes nothing that a model says."""

import pytest
from django.urls import reverse

from catalog import services
from catalog.models import Attribute, AttributeValue
from catalog.naming import named_values
from catalog.selectors import Taxonomy
from tests.support.seen_products import seen_product

pytestmark = pytest.mark.django_db


def _values(name):
    return {code: named.value.code for code, named in named_values(name, Taxonomy.load()).items()}


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("Leather jacket", {"material": "leather"}),
        ("가죽 자켓", {"material": "leather"}),
        ("레더자켓", {"material": "leather"}),
        ("울코트", {"material": "wool"}),
        ("울80 코트", {"material": "wool"}),
        ("캐시미어 코트", {"material": "wool"}),  # one of two names
        ("청바지", {"material": "denim"}),
        ("Mom jeans", {"material": "denim"}),
        ("면티", {"material": "cotton"}),
        ("면100% 티", {"material": "cotton"}),
        ("Hair knit cardigan", {"material": "hairknit"}),  # not "knit"
        ("린넨 반팔 셔츠", {"material": "linen", "sleeve_length": "short"}),
        ("반팔티", {"sleeve_length": "short"}),
        ("7부소매 블라우스", {"sleeve_length": "three-quarter"}),
        ("롱 슬리브 티", {"sleeve_length": "long"}),
        ("Three-quarter sleeve blouse", {"sleeve_length": "three-quarter"}),
        ("3/4 sleeve tee", {"sleeve_length": "three-quarter"}),
        ("¾ sleeves", {"sleeve_length": "three-quarter"}),
        ("SHORT-SLEEVED tee", {"sleeve_length": "short"}),
        ("Leather-trim wool coat", {"material": "wool"}),
        ("Cotton jacket with leather trim", {"material": "cotton"}),
    ],
)
def test_it_reads_what_is_a_word_of_its_own(name, values):
    assert _values(name) == values


@pytest.mark.parametrize(
    "name",
    [
        # looks, parts and prints
        "Faux leather jacket",
        "Vegan-leather jacket",
        "PU leather jacket",
        "Not real fur",
        "페이크 퍼 자켓",
        "Denim-look leggings",
        "Silk-feel blouse",
        "데님 느낌의 팬츠",
        "가죽 벨트 원피스",
        "스웨이드 배색 맨투맨",
        "퍼 카라 코트",
        "레이스 업 블라우스",
        "Lace-up blouse",
        "Padded shoulder blazer",
        "어깨 패딩 자켓",
        "Ford Mustang tee",
        "Cotton candy hoodie",
        # one of several
        "울 니트",
        "Linen and silk dress",
        "나시+가디건 세트",
        "데님 팬츠 & 반팔티",
        # parts of other words, and words that mean something else
        "지퍼 자켓",
        "퍼진 스커트",
        "퍼프 블라우스",
        "버튼 다운 셔츠",
        "Button down shirt",
        "Long coat",
        "Short skirt",
        "7부 점프수트",
        "캡나시",
        "Furniture",
        "",
    ],
)
def test_it_reads_nothing_into_other_words(name):
    assert _values(name) == {}


def test_it_reads_attributes_and_values_that_were_added():
    neckline = Attribute.objects.create(code="neckline", name_ko="넥라인", name_en="Neckline")
    AttributeValue.objects.create(attribute=neckline, code="v", name_ko="브이넥", name_en="V-neck", aliases=["V넥"])
    AttributeValue.objects.create(attribute=neckline, code="none", name_ko="없음", name_en="None")
    length = Attribute.objects.create(code="length", name_ko="길이", name_en="Length")
    AttributeValue.objects.create(attribute=length, code="long", name_ko="롱", name_en="Long")
    assert _values("V-neck sweater") == {"neckline": "v"}
    assert _values("v넥 니트") == {"neckline": "v", "material": "knit"}
    assert _values("None") == {}
    assert _values("Long sleeve tee") == {"sleeve_length": "long"}  # the longer one of two
    assert _values("Long coat") == {"length": "long"}
    AttributeValue.objects.filter(code="v").update(active=False)
    assert _values("V-neck sweater") == {}


def test_a_value_goes_by_the_names_of_what_was_merged_into_it():
    leather = AttributeValue.objects.get(attribute__code="material", code="leather")
    AttributeValue.objects.filter(code="suede").update(merged_into=leather)
    assert _values("스웨이드 자켓") == _values("세무 자켓") == {"material": "leather"}


@pytest.fixture
def page(merchant, alice, actor_of, client_of):
    """The page of a product of which the models say this, with that name."""

    def show(name, language="en", **said):
        product = seen_product(merchant, **({"category": ("Jacket", 0.97)} | said))
        services.update_product(actor=actor_of(alice), product=product, name=name, sku="")
        return client_of(alice, language).get(reverse("catalog:product", args=[product.public_id])).text

    return show


def test_a_page_offers_it_and_says_why(page):
    text = page("Leather jacket", material=("woven", 0.61))
    assert 'data-choose="leather" data-for="value-material"' in text
    assert "Leather <small>in the name</small>" in text
    assert "but the name says “leather”" in text
    korean = page("가죽 자켓", "ko", material=("woven", 0.61))
    assert "가죽 <small>이름에 있음</small>" in korean
    assert "하지만 이름에는 ‘가죽’ 있음" in korean


def test_a_page_says_where_the_name_agrees(page):
    text = page("Denim jacket", material=("denim", 0.61))
    assert "Denim <small>in the name · 61%</small>" in text
    assert "the name says “denim”" in text
    assert "but the name" not in text


def test_it_is_not_offered_for_a_garment_that_the_name_does_not_say(page):
    text = page("가죽 바지", category=("Jacket", 0.97), material=("denim", 0.9))
    assert 'data-choose="leather"' not in text


def test_what_a_person_decided_is_not_questioned(merchant, alice, actor_of, client_of):
    product = seen_product(merchant, category=("Jacket", 0.97), material=("woven", 0.61))
    services.update_product(actor=actor_of(alice), product=product, name="Leather jacket", sku="")
    services.decide(actor=actor_of(alice), product=product, attribute="material", value="denim")
    text = client_of(alice).get(reverse("catalog:product", args=[product.public_id])).text
    assert 'data-choose="leather"' not in text


def test_the_review_offers_it_with_a_key(merchant, alice, actor_of, client_of):
    product = seen_product(merchant, category=("Jacket", 0.97), material=("woven", 0.41))
    services.update_product(actor=actor_of(alice), product=product, name="Leather jacket", sku="")
    answer = client_of(alice).post("/review/batch?", headers={"accept": "application/json"}).json()
    html = answer["items"][0]["html"]
    assert 'value="leather" data-name="Leather" data-key="2"' in html
    assert '<small class="num">in the name</small>' in html


def test_it_changes_nothing_that_the_models_say(merchant, alice, actor_of):
    product = seen_product(merchant, category=("Jacket", 0.9), material=("woven", 0.55))
    before = product.proposal
    services.update_product(actor=actor_of(alice), product=product, name="Leather", sku="")
    product.refresh_from_db()
    assert product.proposal == before
