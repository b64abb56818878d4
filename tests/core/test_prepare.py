import pytest
from django.core.management import call_command

from accounts.models import Merchant
from catalog.models import AttributeValue
from tests.support.factories import MerchantFactory


@pytest.mark.django_db
def test_it_loads_the_taxonomy_without_a_demo_merchant():
    call_command("prepare", "--no-demo")
    assert AttributeValue.objects.filter(code="Tshirt").exists()
    assert not Merchant.objects.exists()


@pytest.mark.django_db
def test_it_creates_no_demo_merchant_beside_a_real_one():
    merchant = MerchantFactory()
    call_command("prepare")
    assert list(Merchant.objects.all()) == [merchant]
