"""Every list of the admin opens, searches and filters within ten queries, however many rows there are."""

from datetime import timedelta

import pytest
from django.contrib import admin as django_admin
from django.contrib.auth.models import Group, Permission
from django.urls import reverse
from django.utils import timezone

from accounts.models import ApiKey, AuditEvent, Operation
from catalog.models import Attribute, AttributeValue, Decision, Product, ProductAttribute, ProductImage, TaxonomyMapping
from classifier.models import (
    AcceptanceThreshold,
    Classification,
    Deployment,
    Garment,
    ModelSet,
    ModelVersion,
    Prediction,
    ShadowReport,
)
from tests.support.factories import MembershipFactory, MerchantFactory, ProductFactory, ProductImageFactory, UserFactory

OURS = {"accounts", "catalog", "classifier", "auth"}
# One search that finds something and one filter, for each list.
LISTS = {
    "accounts.user": ("q=user", "is_staff__exact=0"),
    "accounts.merchant": ("q=merchant", "is_active__exact=1"),
    "accounts.apikey": ("q=otj", "state=valid"),
    "accounts.auditevent": ("q=user", "channel__exact=admin"),
    "accounts.operation": ("q=import", "state__exact=queued"),
    "auth.group": ("q=group", "o=1"),
    "catalog.attribute": ("q=material", "active__exact=1"),
    "catalog.attributevalue": ("q=denim", "attribute__id__exact={material}"),
    "catalog.product": ("q=Product", "category=Jacket&less_sure_than=95&status__exact=to_review"),
    "catalog.productimage": ("q=photo", "current_classification__state__exact=done"),
    "catalog.taxonomymapping": ("q=google", "o=1"),
    "catalog.decision": ("q=Product", "source__exact=human&attribute__id__exact={material}"),
    "classifier.classification": ("q=Product", "state__exact=done"),
    "classifier.prediction": ("q=Product", "attribute__id__exact={material}"),
    "classifier.modelversion": ("q=category", "role__exact=category"),
    "classifier.modelset": ("q=set", "o=1"),
    "classifier.deployment": ("", "o=1"),
    "classifier.shadowreport": ("", "o=1"),
    "classifier.acceptancethreshold": ("q=denim", "attribute__id__exact={material}&enabled__exact=1"),
}


@pytest.fixture
def many(admin):
    """31 merchants with everything that a list can show."""
    values = {
        code: AttributeValue.objects.get(attribute__code=code, code=value)
        for code, value in (("category", "Jacket"), ("material", "denim"))
    }
    versions = {
        code: ModelVersion.objects.create(
            role=code, name=f"{code}-test", task="classify", sha256=code * 4, input_size=224, classes=["Jacket"]
        )
        for code in values
    }
    model_set = ModelSet.objects.create(name="set", fingerprint="f" * 64)
    model_set.versions.set(versions.values())
    Deployment.objects.create(active=model_set, changed_by=admin)
    for number in range(31):
        merchant, user = MerchantFactory(), UserFactory()
        _add_accounts(merchant, user, number, model_set)
        TaxonomyMapping.objects.create(
            code=f"google-{number}", version=1, name="Google", attribute=values["category"].attribute, created_by=user
        )
        AcceptanceThreshold.objects.create(
            merchant=merchant,
            attribute=values["material"].attribute,
            value=values["material"],
            model_version=versions["material"],
            scope=str(number),
            precision=0.98,
            decisions=150,
            threshold=0.9,
            calibrated_at=timezone.now(),
        )
        _add_product(merchant, user, values, versions, model_set)
    Product.objects.update(status="to_review")  # what saving an image changed


def _add_accounts(merchant, user, number, model_set):
    """A member, a key, a trail entry and an operation with its report."""
    MembershipFactory(user=user, merchant=merchant)
    Group.objects.create(name=f"group {number}")
    _secret, prefix, key_hash = ApiKey.generate()
    key = ApiKey.objects.create(merchant=merchant, name="till", prefix=prefix, key_hash=key_hash, created_by=user)
    operation = Operation.objects.create(kind="import", merchant=merchant, created_by=user)
    figures = {"images": 4, "products": 1, "changed": 1}
    ShadowReport.objects.create(operation=operation, candidate=model_set, figures=figures)
    AuditEvent.objects.create(
        merchant=merchant, user=user, api_key=key, channel="admin", action="product.x", subject_type="product"
    )


def _add_product(merchant, user, values, versions, model_set):
    """A product with a decision, and an image with its garment, predictions and current values."""
    product = ProductFactory(merchant=merchant)
    Decision.objects.create(
        product=product,
        attribute=values["material"].attribute,
        kind="set",
        value=values["material"],
        source="human",
        user=user,
        channel="admin",
    )
    image = ProductImageFactory(product=product)
    Classification.objects.filter(image=image).delete()
    now = timezone.now()
    job = Classification.objects.create(
        image=image, state="done", model_set=model_set, started_at=now, finished_at=now + timedelta(seconds=1)
    )
    ProductImage.objects.filter(pk=image.pk).update(current_classification=job)
    garment = Garment.objects.create(image=image, classification=job, x1=0.1, y1=0.1, x2=0.9, y2=0.9)
    for code, value in values.items():
        Prediction.objects.create(
            garment=garment, attribute=value.attribute, value=value, confidence=0.9, model_version=versions[code]
        )
        ProductAttribute.objects.create(
            product=product,
            merchant=product.merchant,
            attribute=value.attribute,
            value=value,
            state="proposed",
            confidence=0.9,
        )


def _url(label):
    return reverse(f"admin:{label.replace('.', '_')}_changelist")


def test_it_covers_every_list_of_ours():
    registered = {model._meta.label_lower for model in django_admin.site._registry}
    assert {label for label in registered if label.split(".")[0] in OURS} == set(LISTS)


@pytest.mark.django_db
def test_it_lists_searches_and_filters_within_ten_queries(many, client_of, django_assert_max_num_queries):
    # Not a superuser: whose permissions are looked up takes two queries more.
    staff = UserFactory(is_staff=True)
    staff.user_permissions.set(Permission.objects.all())
    client = client_of(staff)
    material = Attribute.objects.get(code="material").pk
    for label, (search, filtered) in LISTS.items():
        for query in ("", f"{search}&{filtered}".format(material=material)):
            with django_assert_max_num_queries(10, info=f"{label}?{query}"):
                response = client.get(f"{_url(label)}?{query}")
            assert response.status_code == 200, (label, query)
            assert response.context["cl"].result_count > 0, (label, query)


@pytest.mark.django_db
def test_it_searches_by_sku_and_merchant(admin, client_of):
    wanted = ProductFactory(sku="FIND-ME", merchant=MerchantFactory(name="Corner merchant"))
    ProductFactory()
    for query in ("FIND-ME", "Corner", wanted.public_id):
        found = client_of(admin).get(_url("catalog.product"), {"q": query}).context["cl"].result_list
        assert [product.pk for product in found] == [wanted.pk]


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["ko", "en"])
def test_it_speaks_both_languages(admin, client_of, language):
    client = client_of(admin, language)
    for label in LISTS:
        response = client.get(_url(label))
        assert response.status_code == 200
        assert f'lang="{language}"' in response.content.decode()
