"""Support works as a member for a while: everything says so, and what is the person's own stays closed."""

import pytest
from allauth.usersessions.models import UserSession
from django.urls import reverse

from accounts.models import AuditEvent, Operation
from accounts.ready_groups import load_groups
from accounts.services import change_password
from catalog.models import Decision
from tests.support.factories import ProductFactory, UserFactory, in_group

pytestmark = pytest.mark.django_db

ACQUIRE = reverse("hijack:acquire")
RELEASE = reverse("hijack:release")


@pytest.fixture
def sue(db):
    load_groups()
    return in_group("Support", name="Sue")


@pytest.fixture
def as_bob(client_of, sue, bob):
    """Sue's client, working as Bob, an editor."""
    client = client_of(sue)
    assert client.post(ACQUIRE, {"user_pk": bob.pk}).status_code == 302
    return client


def test_each_page_says_so_and_one_click_ends_it(as_bob, sue, bob):
    page = as_bob.get("/")
    assert "Sue, you work as bob." in page.text
    assert RELEASE in page.text
    back = as_bob.post(RELEASE, {"next": reverse("admin:accounts_user_change", args=[bob.pk])}, follow=True)
    assert back.wsgi_request.user == sue
    assert back.status_code == 200
    assert "you work as" not in as_bob.get("/products/", follow=True).text


def test_beginning_and_end_are_in_the_merchant_s_trail(as_bob, sue, bob, merchant):
    as_bob.post(RELEASE)
    events = AuditEvent.objects.filter(subject_type="user", subject_id=bob.pk).order_by("pk")
    assert [(event.action, event.user, event.merchant) for event in events] == [
        ("user.impersonate", sue, merchant),
        ("user.impersonate_end", sue, merchant),
    ]


def test_decisions_and_the_trail_name_both(as_bob, sue, bob, product):
    as_bob.post(
        reverse("catalog:review", args=[product.public_id]), {"value-material": "linen", "version": product.version}
    )
    decision = Decision.objects.get(product=product)
    assert (decision.user, decision.impersonator, decision.actor_name) == (bob, sue, "Sue as bob")
    event = AuditEvent.objects.get(action="product.review")
    assert (event.user, event.impersonator, event.author) == (bob, sue, "Sue as bob")
    assert "Sue as bob" in as_bob.get(reverse("catalog:product", args=[product.public_id])).text


def test_what_an_operation_does_names_both(as_bob, sue, bob, merchant, database_queue):
    product = ProductFactory(merchant=merchant, status="ready")
    as_bob.post(reverse("catalog:bulk_start"), {"action": "archive", "product": [product.public_id]})
    assert Operation.objects.get().impersonator == sue
    assert AuditEvent.objects.get(action="product.archive").impersonator == sue


CLOSED = [
    ("accounts:password", {}),
    ("accounts:merchant_settings", {"public_id": "merchant"}),
    ("accounts:create_key", {"public_id": "merchant"}),
]


@pytest.mark.parametrize(("name", "arguments"), CLOSED)
@pytest.mark.parametrize("method", ["get", "post"])
def test_passwords_keys_and_settings_stay_closed(client_of, sue, alice, merchant, name, arguments, method):
    client = client_of(sue)
    client.post(ACQUIRE, {"user_pk": alice.pk})
    url = reverse(name, kwargs=dict.fromkeys(arguments, merchant.public_id))
    before = alice.password
    answer = getattr(client, method)(url, {"name": "till", "new_password1": "x" * 12})
    assert answer.status_code == 403
    assert "theirs alone to change" in answer.text
    alice.refresh_from_db()
    assert alice.password == before
    assert not merchant.api_keys.exists()
    script = getattr(client, method)(url, headers={"accept": "application/json"})
    assert (script.status_code, script.json()["code"]) == (403, "impersonated")


def test_the_language_of_the_page_is_not_the_person_s(as_bob, bob):
    as_bob.post(reverse("accounts:language"), {"language": "en" if bob.language == "ko" else "ko"})
    assert type(bob).objects.get(pk=bob.pk).language == bob.language


def test_nobody_works_as_staff_or_as_somebody_without_a_shop(client_of, sue, admin):
    for other in (admin, UserFactory(is_staff=True), UserFactory()):
        client = client_of(sue)
        assert client.post(ACQUIRE, {"user_pk": other.pk}).status_code == 403
        assert client.get("/admin/").wsgi_request.user == sue


@pytest.mark.parametrize("group", ["Reviewer", "Taxonomy keeper", "Model keeper", "Operator", None])
def test_others_may_not(client_of, bob, group, db):
    load_groups()
    staff = in_group(group) if group else UserFactory()
    client = client_of(staff)
    assert client.post(ACQUIRE, {"user_pk": bob.pk}).status_code == 403
    assert client.get("/").wsgi_request.user == staff


def test_it_ends_when_the_right_is_taken_away(as_bob, sue):
    sue.groups.clear()
    page = as_bob.get("/products/")
    assert page.status_code == 302
    assert not page.wsgi_request.user.is_authenticated


def test_it_ends_when_the_staff_s_password_changes(as_bob, sue):
    change_password(user=sue, password="another one entirely")
    assert not as_bob.get("/products/").wsgi_request.user.is_authenticated
    as_bob.post(RELEASE)
    assert not as_bob.get("/products/").wsgi_request.user.is_authenticated


@pytest.mark.parametrize("released", [False, True])
def test_the_staff_can_end_it_from_another_device(as_bob, client_of, sue, bob, released):
    if released:
        as_bob.post(RELEASE)
    elsewhere = client_of(sue)
    elsewhere.post(reverse("usersessions_list"))
    assert not as_bob.get("/products/").wsgi_request.user.is_authenticated
    assert elsewhere.get("/products/").wsgi_request.user == sue
    assert not UserSession.objects.filter(user=bob).exists()


def test_the_admin_offers_it_where_it_is_possible(client_of, sue, bob, admin):
    client = client_of(sue)
    url = reverse("admin:accounts_user_impersonate", args=[bob.pk])
    assert url in client.get(reverse("admin:accounts_user_change", args=[bob.pk])).text
    page = client.get(url)
    assert ACQUIRE in page.text
    other = reverse("admin:accounts_user_impersonate", args=[admin.pk])
    assert other not in client.get(reverse("admin:accounts_user_change", args=[admin.pk])).text
    assert client.get(other).status_code == 403
