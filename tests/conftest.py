"""The people, merchants and images that every test may use."""

import os
import tempfile

import pytest
from django.core.cache import caches
from django.test import Client
from django.utils import translation

from accounts.actors import Actor
from accounts.channels import Channel
from accounts.models import ApiKey, Membership
from catalog.models import Attribute
from catalog.services.taxonomy import load_taxonomy
from core.startup import collect_less_often
from tests.support.api_clients import ApiClient
from tests.support.factories import MembershipFactory, MerchantFactory, ProductFactory, UserFactory
from tests.support.needs_database import needs_database


def pytest_collection_modifyitems(config, items):
    """On a database server, leave out what no database decides: the run on SQLite has seen it."""
    if not os.environ["DATABASE_URL"].startswith("mysql"):
        return
    left = [[], []]
    for item in items:
        left[needs_database(item) and not item.get_closest_marker("sqlite_is_enough")].append(item)
    config.hook.pytest_deselected(items=left[False])
    items[:] = left[True]


def pytest_collection_finish():
    """As the site does, which has as much loaded: it takes a fifth of the processor's time from the tests."""
    collect_less_often()


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
def merchant(db):
    return MerchantFactory(name="Alice's merchant")


@pytest.fixture
def other_merchant(db):
    return MerchantFactory(name="Charlie's merchant")


def _member(email, merchant, role):
    user = UserFactory(email=f"{email}@example.com", name=email)
    MembershipFactory(user=user, merchant=merchant, role=role)
    return user


@pytest.fixture
def alice(merchant):
    """Owner of the merchant."""
    return _member("alice", merchant, Membership.Role.OWNER)


@pytest.fixture
def bob(merchant):
    """Editor in the merchant."""
    return _member("bob", merchant, Membership.Role.EDITOR)


@pytest.fixture
def dana(merchant):
    """Viewer in the merchant."""
    return _member("dana", merchant, Membership.Role.VIEWER)


@pytest.fixture
def charlie(other_merchant):
    """Owner of another merchant: an outsider."""
    return _member("charlie", other_merchant, Membership.Role.OWNER)


@pytest.fixture
def admin(db):
    """Administrator of the marketplace."""
    return UserFactory(email="admin@example.com", name="admin", is_staff=True, is_superuser=True)


def _key(merchant, **fields):
    secret, prefix, key_hash = ApiKey.generate()
    return ApiKey.objects.create(merchant=merchant, name="till", prefix=prefix, key_hash=key_hash, **fields), secret


@pytest.fixture
def api_key(merchant):
    """A key of the merchant: (row, secret)."""
    return _key(merchant)


@pytest.fixture
def read_only_key(merchant):
    return _key(merchant, may_write=False, may_classify=False)


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
        return Actor(channel=Channel.PORTAL, user=user, merchant=membership.merchant, role=membership.role)

    return actor


@pytest.fixture
def product(merchant):
    return ProductFactory(merchant=merchant, sku="AJ-1042", name="Oversized denim jacket")


@pytest.fixture(scope="session")
def network_weights(tmp_path_factory):
    """Return a weights folder with small real networks: a garment detector and three classifiers."""
    from tests.support.tiny_networks import build_weights

    return build_weights(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="session")
def four_class_weights(tmp_path_factory):
    """Return a weights folder with small real networks: a detector of top-level categories and three classifiers."""
    from tests.support.tiny_networks import build_four_classes

    return build_four_classes(tmp_path_factory.mktemp("four_classes"))


@pytest.fixture(scope="session")
def int8_weights(network_weights, tmp_path_factory):
    """Return a copy of `network_weights` with int8 files, verified in bf16 and int8. Needs NNCF."""
    from tests.support.tiny_networks import build_int8

    return build_int8(network_weights, tmp_path_factory.mktemp("int8") / "weights")


@pytest.fixture(scope="session")
def base(tmp_path_factory):
    """Return start weights that have learnt nothing."""
    from tests.support.tiny_trainings import build_base

    return build_base(tmp_path_factory.mktemp("base"))


@pytest.fixture
def api(api_key):
    """An API client with the merchant's key."""
    return ApiClient(api_key[1])


@pytest.fixture
def actor(alice, actor_of):
    """The merchant's owner, in the portal."""
    return actor_of(alice)


@pytest.fixture
def database_queue(settings):
    """Wake workers through the database, as the site does."""
    settings.TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": ["interactive", "bulk"]}}
