"""The demo shop: made once, with passwords that work and products in every state."""

import io
import re

import pytest
from django.core.management import call_command
from django.test import Client

from accounts.actors import system
from accounts.models import AuditEvent, Merchant, User
from catalog.models import Decision, Product, ProductAttribute, ProductImage
from catalog.proposal import Proposal
from classifier.jobs.requests import classify_again
from classifier.models import AcceptanceThreshold, Classification
from demo import shop as demo_shop
from demo.catalogue import DECIDED, PRODUCTS, QUEUED
from demo.shop import OWNER_EMAIL, SHOP_NAME
from tests.support.written_proposals import top_categories

State = ProductAttribute.State


@pytest.fixture
def no_worker(monkeypatch):
    """Leave the images waiting, as without weights."""
    monkeypatch.setattr(demo_shop, "call_command", lambda *_arguments, **_options: None)


@pytest.fixture
def no_products(monkeypatch):
    """Create only the merchant and its people, where a test is about them."""
    monkeypatch.setattr("demo.management.commands.create_demo.fill", lambda _merchant: None)


def _create():
    output = io.StringIO()
    call_command("create_demo", stdout=output)
    return output.getvalue()


def _values(sku):
    values = ProductAttribute.objects.filter(product__sku=sku).select_related("attribute", "value")
    return {value.attribute.code: (value.state, value.value and value.value.code) for value in values}


# The shipped weights, on small images: what they see is what the demo shop is for. The queue's worker closes
# connections that are left in a transaction, which on MySQL a test's own would be.
@pytest.mark.django_db(transaction=True)
def test_it_shows_every_state_and_the_worker_goes_on_from_there(settings, database_queue):
    settings.OTJANG_SAMPLE_SHARE = 0.0
    _create()

    products = {product.sku: product for product in Product.objects.all()}
    assert set(products) == {item.sku for item in PRODUCTS}
    assert {product.status for product in products.values()} == set(Product.Status)
    assert {item.sku for item in QUEUED} == {sku for sku, one in products.items() if one.status == "classifying"}
    assert not products["JK-1001"].images.exists()  # a draft

    nothing, doubtful, several = products["SN-1201"], products["JK-1213"], products["JK-1214"]
    assert {product.status for product in (nothing, doubtful, several)} == {"to_review"}
    assert nothing.proposal == Proposal()
    assert nothing.images.get().current_classification.garments_found == 0
    assert top_categories(doubtful)[0] in {"Outer", "Top"}  # which, depends on the precision of this machine
    assert (doubtful.top_category, doubtful.top_category_source) == (None, "")
    assert top_categories(several) == ["Outer", "Bottom"]
    assert (several.top_category, several.top_category_source) == (None, "")

    assert products["SP-1208"].status == "ready"  # without anybody
    assert _values("SP-1208") == {
        "category": (State.AUTO, "Shorts"),
        "material": (State.AUTO, "denim"),
        "sleeve_length": (State.NOT_APPLICABLE, None),
    }
    assert set(AcceptanceThreshold.objects.values_list("merchant__name", flat=True)) == {SHOP_NAME}
    assert products["JK-1110"].status == "ready"  # by a person who knew better
    assert _values("JK-1110")["material"] == (State.DECIDED, "leather")
    differing = Decision.objects.get(product=products["JK-1110"], attribute__code="material")
    assert (differing.answers, differing.proposed_value.code) == ("proposal", "woven")

    failed = products["KN-1202"]
    job = Classification.objects.get(state="failed")
    assert (job.image.product, job.error_code) == (failed, "file_missing")
    classify_again(actor=system(), product=failed)
    call_command("worker", once=True)
    assert not Classification.objects.exclude(state__in=("done", "failed")).exists()
    assert not Product.objects.filter(status="classifying").exists()
    failed.refresh_from_db()
    assert top_categories(failed) == ["Top"]


@pytest.mark.django_db
def test_what_the_owner_decides_needs_no_weights(no_worker):
    text = _create()
    merchant = Merchant.objects.get()
    assert (merchant.name, merchant.is_demo, merchant.images_for_training) == (SHOP_NAME, True, False)
    # What is ready still waits for its images; what the owner published or put away does not.
    outcomes = {item.sku: item.outcome.value.replace("ready", "classifying") for item in DECIDED}
    assert dict(Product.objects.filter(sku__in=outcomes).values_list("sku", "status")) == outcomes
    assert Classification.objects.filter(state="queued").count() == ProductImage.objects.count()
    created = AuditEvent.objects.filter(action="product.create", user__email=OWNER_EMAIL, channel="command")
    assert created.count() == len(PRODUCTS)
    assert f"ready, with {len(PRODUCTS)} products" in text
    for image in ProductImage.objects.all():
        assert image.display.storage.exists(image.display.name)


@pytest.mark.django_db
def test_it_prints_passwords_that_log_in(no_products):
    found = re.findall(r"(\S+@otjang\.example) .*password: (\S+)", _create())
    assert [email.split("@")[0] for email, _password in found] == ["demo", "admin"]
    for email, password in found:
        assert Client().login(username=email, password=password)
    owner, admin = (User.objects.get(email=email) for email, _password in found)
    assert owner.memberships.get().role == "owner"
    assert not owner.is_staff
    assert admin.is_superuser


@pytest.mark.django_db
def test_it_prints_the_passwords_if_the_worker_breaks_off(monkeypatch):
    def break_off(*_arguments, **_options):
        raise RuntimeError("no memory")

    monkeypatch.setattr(demo_shop, "call_command", break_off)
    output = io.StringIO()
    with pytest.raises(RuntimeError, match="no memory"):
        call_command("create_demo", stdout=output)
    assert len(re.findall(r"password: (\S+)", output.getvalue())) == 2
    assert "ready" not in output.getvalue()


@pytest.mark.django_db
def test_it_changes_nothing_the_second_time(no_worker):
    _create()
    before = list(Product.objects.values()), list(User.objects.values())
    text = _create()
    assert "nothing was changed" in text
    assert "password" not in text
    assert (list(Product.objects.values()), list(User.objects.values())) == before


@pytest.mark.django_db
def test_it_keeps_an_account_that_is_there(no_products):
    admin = User.objects.create_superuser("Admin@otjang.example", "their own password")
    text = _create()
    assert "unchanged" in text
    assert Client().login(username=admin.email, password="their own password")
    assert User.objects.count() == 2
