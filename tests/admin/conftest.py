"""Who looks at the models' quality, and what people said of what models propose."""

import pytest
from django.contrib.auth.models import Permission

from catalog import services
from tests.support.factories import UserFactory

KEEP = {"category": "Jacket", "material": "denim", "sleeve_length": "long"}


@pytest.fixture
def review(actor_of):
    """Save a person's review of a product that the models saw as a jacket; what is not named is kept."""

    def save(member, product, **changed):
        services.save_review(actor=actor_of(member), product=product, top_category="Outer", values={**KEEP, **changed})
        return product

    return save


@pytest.fixture
def clerk():
    user = UserFactory(is_staff=True)
    user.user_permissions.set(
        Permission.objects.filter(codename__in=("view_acceptancethreshold", "view_all_merchants"))
    )
    return user
