"""`manage.py audit_data` finds nothing where all is well, whatever people and workers did before."""

import os
import time

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from accounts.actors import system
from catalog.models import AttributeValue, ProductImage
from catalog.services import (
    archive,
    archive_image,
    choose_top_category,
    decide,
    delete_image,
    drafts,
    publish,
    restore,
    unpublish,
    update_product,
    withdraw,
)
from catalog.services.taxonomy_changes import set_offered
from catalog.services.uploads import add_images
from classifier import stateless
from classifier.consistency.images import IMAGES
from classifier.consistency.products import PRODUCTS
from classifier.consistency.terms import TERMS
from classifier.jobs import batches, queue, requests
from classifier.models import AcceptanceThreshold, Classification
from core.ids import public_id
from tests.support.audited import audited, findings
from tests.support.drawn_images import upload
from tests.support.exported_datasets import JACKET, JEANS
from tests.support.factories import ProductFactory
from tests.support.seen_products import seen_product
from tests.support.written_thresholds import allow

pytestmark = pytest.mark.django_db

SURE = {"category": ("Jacket", 0.97), "material": ("denim", 0.96), "sleeve_length": ("long", 0.95)}
OF_PRODUCTS = [kind.code for check in (PRODUCTS, TERMS, IMAGES) for kind in check.kinds]


def value(attribute, code):
    return AttributeValue.objects.get(attribute__code=attribute, code=code)


def test_an_empty_site_is_right():
    answer, status = audited()
    assert (answer["findings"], status) == (0, 0)
    assert all(one["count"] == 0 for one in answer["kinds"].values())


def test_uploads_that_wait_and_that_were_looked_at_are_right(merchant, product, classified):
    classified(merchant, "red", "blue")
    classified(merchant, "green", garments=(JACKET, JEANS))
    classified(merchant, "white", garments=())
    add_images(actor=system(), product=product, files=[upload(), upload("b.jpg", color="navy")])
    queue.claim(1)
    ProductFactory(merchant=merchant, name="", sku=None)
    assert findings() == {}


def test_what_people_did_with_products_is_right(merchant, actor, classified):
    one, two, three, four = (classified(merchant, color) for color in ("red", "blue", "green", "white"))
    decide(actor=actor, product=one, attribute="category", value="Jumper")
    publish(actor=actor, product=two)
    assert findings() == {}
    unpublish(actor=actor, product=two)
    publish(actor=actor, product=three)
    archive(actor=actor, product=three)
    assert findings() == {}
    restore(actor=actor, product=three)
    choose_top_category(actor=actor, product=four, top_category="Bottom")
    withdraw(actor=actor, product=one, attribute="category")
    update_product(actor=actor, product=one, name="Knitted coat", sku="새 코트-1")
    assert findings() == {}


def test_what_became_of_images_is_right(merchant, actor, product, classified):
    one = classified(merchant, "red", "blue", "green")
    first, _second, _third = one.images.all()
    archive_image(actor=actor, image=first)
    assert findings() == {}
    delete_image(actor=actor, image=ProductImage.objects.get(pk=first.pk))
    requests.classify_again(actor=actor, product=one)
    assert findings() == {}
    requests.cancel_all(actor=actor, product=one)
    assert findings() == {}
    two = classified(merchant, "white")
    default_storage.delete(str(two.images.get().display))
    requests.classify_again(actor=actor, product=two)
    batches.classify_waiting()
    two.refresh_from_db()
    assert two.failed_images == 1
    assert findings() == {"files-missing": [str(two.images.get().display)]}


def test_what_was_accepted_and_taken_back_is_right(merchant, actor, no_sample):
    for code in SURE:
        allow(code, 0.9)
    product = seen_product(merchant, **SURE)
    Classification.objects.update(applied_at=timezone.now())
    assert (product.status, product.decisions.filter(source="auto").count()) == ("ready", 3)
    assert findings(*OF_PRODUCTS) == {}
    AcceptanceThreshold.objects.update(enabled=False)
    requests.propose_again(product_id=product.pk)
    AcceptanceThreshold.objects.update(enabled=True)
    requests.propose_again(product_id=product.pk)
    withdraw(actor=actor, product=product, attribute="material")
    assert product.decisions.filter(source="auto").count() > 3
    assert findings(*OF_PRODUCTS) == {}


def test_a_product_that_was_classified_again_says_not_that_nothing_was_found(merchant, actor, classified):
    product = classified(merchant, "red", garments=())
    assert product.unclear == "nothing"
    requests.classify_again(actor=actor, product=product)
    product.refresh_from_db()
    assert (product.status, product.unclear) == ("classifying", "")
    assert findings() == {}


def test_a_value_that_was_merged_or_retired_is_right(merchant, classified):
    product = classified(merchant, "red")
    knit = value("material", "knit")
    AttributeValue.objects.filter(attribute=knit.attribute, code="denim").update(merged_into=knit)
    assert findings() == {}
    set_offered(actor=system(), value=value("sleeve_length", "long"), offered=False)
    assert findings() == {}
    assert product.attributes.filter(state="proposed").count() == 3


def test_drafts_imports_and_requests_that_are_there_in_time_are_right(merchant, actor):
    drafts.add_images(actor=actor, merchant=merchant, number=public_id(), files=[upload()])
    stateless.ask(actor=actor, files=[upload()])
    assert findings() == {}


def test_jobs_that_ended_just_now_are_left_to_the_worker(merchant, product):
    add_images(actor=system(), product=product, files=[upload()])
    Classification.objects.update(
        state="failed", open_key=None, finished_at=timezone.now(), error_code="unreadable", applied_at=None
    )
    assert findings() == {}


def test_what_readyz_writes_is_none_of_it(product):
    path = default_storage.save("probe/host-8000", ContentFile(b"left by a process that was killed"))
    long_ago = time.time() - 30 * 24 * 3600
    os.utime(default_storage.path(path), (long_ago, long_ago))
    assert findings() == {}
