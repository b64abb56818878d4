"""The people, shops and pictures that every test may use."""

import tempfile

import pytest
from django.core.cache import caches
from django.test import Client
from django.utils import translation

from accounts.actors import Actor, Via
from accounts.models import ApiKey, Membership
from catalog.models import Attribute
from catalog.services.taxonomy import load_taxonomy
from tests.factories import MembershipFactory, MerchantFactory, ProductFactory, UserFactory


@pytest.fixture(autouse=True)
def _isolated(settings):
    """Files in a folder of the test's own; neither throttle nor language left over from another test."""
    for cache in caches.all():
        cache.clear()
    with tempfile.TemporaryDirectory(prefix="otjang-media-") as folder, translation.override("en"):
        settings.MEDIA_ROOT = folder
        yield


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """Load the taxonomy once a session, as `make run` does."""
    with django_db_blocker.unblock():
        load_taxonomy()


@pytest.fixture(autouse=True)
def _taxonomy(request):
    """Load the taxonomy again where a transactional test flushed it away."""
    if (
        "db" in request.fixturenames
        or "transactional_db" in request.fixturenames
        or request.node.get_closest_marker("django_db")
    ):
        for name in ("transactional_db", "db"):
            if name in request.fixturenames:
                request.getfixturevalue(name)
                break
        if not Attribute.objects.exists():
            load_taxonomy()


@pytest.fixture
def shop(db):
    return MerchantFactory(name="Alice's shop")


@pytest.fixture
def other_shop(db):
    return MerchantFactory(name="Charlie's shop")


def _member(email, merchant, role):
    user = UserFactory(email=f"{email}@example.com", name=email)
    MembershipFactory(user=user, merchant=merchant, role=role)
    return user


@pytest.fixture
def alice(shop):
    """Owner of the shop."""
    return _member("alice", shop, Membership.Role.OWNER)


@pytest.fixture
def bob(shop):
    """Editor in the shop."""
    return _member("bob", shop, Membership.Role.EDITOR)


@pytest.fixture
def dana(shop):
    """Viewer in the shop."""
    return _member("dana", shop, Membership.Role.VIEWER)


@pytest.fixture
def charlie(other_shop):
    """Owner of another shop: an outsider."""
    return _member("charlie", other_shop, Membership.Role.OWNER)


@pytest.fixture
def admin(db):
    """Administrator of the marketplace."""
    return UserFactory(email="admin@example.com", name="admin", is_staff=True, is_superuser=True)


def _key(merchant, **fields):
    secret, prefix, key_hash = ApiKey.generate()
    return ApiKey.objects.create(merchant=merchant, name="till", prefix=prefix, key_hash=key_hash, **fields), secret


@pytest.fixture
def api_key(shop):
    """A key of the shop: (row, secret)."""
    return _key(shop)


@pytest.fixture
def read_only_key(shop):
    return _key(shop, read_only=True)


@pytest.fixture
def client_of():
    """Return a logged-in client for a user; pages come in English unless asked otherwise."""

    def login(user, language="en"):
        client = Client(headers={"accept-language": language})
        client.force_login(user)
        return client

    return login


@pytest.fixture
def actor_of():
    """Return the actor that the portal makes of a member."""

    def actor(user):
        membership = user.memberships.get()
        return Actor(via=Via.PORTAL, user=user, merchant=membership.merchant, role=membership.role)

    return actor


@pytest.fixture
def product(shop):
    return ProductFactory(merchant=shop, sku="AJ-1042", name="Oversized denim jacket")


@pytest.fixture(scope="session")
def network_weights(tmp_path_factory):
    """Return a weights folder with small real networks: a garment detector and three classifiers."""
    from tests.networks import build_weights

    return build_weights(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="session")
def base(tmp_path_factory):
    """Return start weights that have learnt nothing."""
    from tests.training import build_base

    return build_base(tmp_path_factory.mktemp("base"))
