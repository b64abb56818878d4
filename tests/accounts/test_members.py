"""Owners invite, change and remove members, and hand the shop over; nobody else does."""

from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.actors import Actor
from accounts.channels import Channel
from accounts.models import AuditEvent, Invitation, Membership, User
from accounts.services import members
from core.errors import Conflict, Forbidden, Gone
from tests.support.factories import MembershipFactory, UserFactory
from tests.support.mails import link_in

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"


def _path(merchant, *rest):
    return "/".join((f"/merchants/{merchant.public_id}", *map(str, rest)))


def _invite(client, merchant, email="new@example.com", role="editor"):
    return client.post(_path(merchant, "invitations"), {"email": email, "role": role}, follow=True)


def _stranger():
    return Client(headers={"accept-language": "en"})


def test_an_owner_invites_somebody_new_who_joins(client_of, alice, merchant):
    answer = _invite(client_of(alice), merchant, role="viewer")

    assert "The invitation is on its way to new@example.com." in answer.text
    (sent,) = mail.outbox
    assert sent.to == ["new@example.com"]
    stranger = _stranger()
    page = stranger.get(link_in(sent)).text
    assert "alice invites new@example.com as viewer." in page
    weak = stranger.post(link_in(sent), {"name": "Nina", "password": "new@example.com"})
    assert weak.status_code == 400
    joined = stranger.post(link_in(sent), {"name": "Nina", "password": PASSWORD}, follow=True)

    assert "Welcome to Alice" in joined.text
    user = User.objects.get(email="new@example.com")
    assert (user.name, user.memberships.get().role, user.check_password(PASSWORD)) == ("Nina", "viewer", True)
    assert user.emailaddress_set.get().verified
    assert _stranger().get(link_in(sent)).status_code == 404
    actions = list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))
    assert actions == ["membership.invite", "membership.join", "user.login"]


def test_somebody_with_an_account_joins_as_themselves_only(client_of, alice, charlie, dana, merchant):
    _invite(client_of(alice), merchant, email="Charlie@Example.com")
    link = link_in(mail.outbox[0])

    assert "There is an account with this e-mail." in _stranger().get(link).text
    other = client_of(dana)
    assert "You are logged in as dana@example.com." in other.get(link).text
    other.post(link)
    assert not merchant.memberships.filter(user=charlie).exists()
    assert not merchant.memberships.filter(user=dana, role="editor").exists()

    client_of(charlie).post(link)
    assert merchant.memberships.get(user=charlie).role == "editor"


def test_a_link_runs_out_can_be_withdrawn_and_sent_again(client_of, alice, merchant):
    client = client_of(alice)
    _invite(client, merchant)
    _invite(client, merchant)
    first, second = map(link_in, mail.outbox)
    assert _stranger().get(first).status_code == 404
    assert _stranger().get(second).status_code == 200

    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert _stranger().get(second).status_code == 404
    assert "ran out" in client.get("/settings/members/").text

    _invite(client, merchant)
    client.post(_path(merchant, "invitations", Invitation.objects.get().pk, "withdraw"))
    assert _stranger().get(link_in(mail.outbox[2])).status_code == 404


def test_a_mail_that_cannot_be_sent_invites_nobody(client_of, alice, merchant, monkeypatch):
    def fail(*args, **kwargs):
        raise OSError("no server")

    monkeypatch.setattr("accounts.invitation_mail.send_mail", fail)

    answer = _invite(client_of(alice), merchant)

    assert "The mail could not be sent" in answer.text
    assert not Invitation.objects.exists()


def test_nobody_has_mails_without_end_sent_to_strangers(client_of, alice, admin, merchant, actor_of, monkeypatch):
    monkeypatch.setattr(members, "MOST_A_DAY", 3)
    client = client_of(alice)
    for number in range(3):
        _invite(client, merchant, f"new{number}@example.com")
        client.post(_path(merchant, "invitations", Invitation.objects.get().pk, "withdraw"))
    assert "Try again tomorrow." in _invite(client, merchant).text
    assert len(mail.outbox) == 3
    assert not Invitation.objects.exists()

    members.invite(
        actor=Actor(channel=Channel.ADMIN, user=admin), merchant=merchant, email="a@example.com", role="owner"
    )
    AuditEvent.objects.update(created_at=timezone.now() - timedelta(days=1, seconds=1))
    _invite(client, merchant)
    assert len(mail.outbox) == 4


def test_who_owns_no_more_when_it_is_their_turn_changes_nothing(alice, bob, merchant, actor_of):
    actor = actor_of(alice)
    of_alice, of_bob = (merchant.memberships.get(user=user) for user in (alice, bob))
    Membership.objects.filter(pk=of_bob.pk).update(role="owner")
    Membership.objects.filter(pk=of_alice.pk).update(role="viewer")  # meanwhile
    assert actor.is_owner
    for change in (
        lambda: members.change_role(actor=actor, membership=of_bob, role="viewer"),
        lambda: members.change_role(actor=actor, membership=of_alice, role="owner"),
        lambda: members.remove_member(actor=actor, membership=of_bob),
        lambda: members.hand_over(actor=actor, membership=of_bob),
        lambda: members.invite(actor=actor, merchant=merchant, email="x@example.com", role="owner"),
    ):
        with pytest.raises(Forbidden):
            change()
    assert dict(merchant.memberships.values_list("user__name", "role")) == {"alice": "viewer", "bob": "owner"}
    members.remove_member(actor=actor, membership=of_alice)
    assert not merchant.memberships.filter(user=alice).exists()


@pytest.mark.parametrize("change", ["role", "hand-over"])
def test_a_member_who_left_meanwhile_is_not_found(alice, bob, merchant, actor_of, change):
    of_bob = merchant.memberships.get(user=bob)
    Membership.objects.filter(pk=of_bob.pk).delete()
    with pytest.raises(Gone):
        if change == "role":
            members.change_role(actor=actor_of(alice), membership=of_bob, role="owner")
        else:
            members.hand_over(actor=actor_of(alice), membership=of_bob)


@pytest.mark.parametrize(
    ("email", "role", "sentence"),
    [
        ("nonsense", "editor", "That is not an e-mail address."),
        ("bob@example.com", "editor", "belongs to the shop already"),
        ("new@example.com", "king", "There is no such role."),
    ],
)
def test_it_says_what_is_wrong(client_of, alice, bob, merchant, email, role, sentence):
    assert sentence in _invite(client_of(alice), merchant, email, role).text
    assert not mail.outbox


def test_roles_change_and_a_shop_keeps_an_owner(client_of, alice, bob, merchant):
    client = client_of(alice)
    of_alice, of_bob = (merchant.memberships.get(user=user) for user in (alice, bob))

    last = client.post(_path(merchant, "members", of_alice.pk, "role"), {"role": "viewer"}, follow=True)
    assert "A shop needs an owner." in last.text
    assert "A shop needs an owner." in client.post(_path(merchant, "members", of_alice.pk, "remove"), follow=True).text

    client.post(_path(merchant, "members", of_bob.pk, "role"), {"role": "owner"})
    of_bob.refresh_from_db()
    assert of_bob.role == "owner"
    client.post(_path(merchant, "members", of_alice.pk, "remove"))
    assert not merchant.memberships.filter(user=alice).exists()


def test_an_owner_hands_the_shop_over(client_of, alice, bob, merchant):
    of_bob = merchant.memberships.get(user=bob)
    client_of(alice).post(_path(merchant, "members", of_bob.pk, "hand-over"))
    roles = dict(merchant.memberships.values_list("user__name", "role"))
    assert roles == {"alice": "editor", "bob": "owner"}


def test_members_look_and_leave_but_change_nothing(client_of, alice, bob, dana, merchant):
    client = client_of(bob)
    assert "alice@example.com" in client.get("/settings/members/").text
    of_alice, of_bob, of_dana = (merchant.memberships.get(user=user) for user in (alice, bob, dana))
    assert _invite(client, merchant).status_code == 403
    assert client.post(_path(merchant, "members", of_alice.pk, "role"), {"role": "viewer"}).status_code == 403
    assert client.post(_path(merchant, "members", of_bob.pk, "hand-over")).status_code == 403
    client.post(_path(merchant, "members", of_dana.pk, "remove"))
    assert merchant.memberships.count() == 3

    client.post(_path(merchant, "members", of_bob.pk, "remove"))
    assert set(merchant.memberships.values_list("user__name", flat=True)) == {"alice", "dana"}


def test_outsiders_find_nothing(client_of, charlie, alice, merchant):
    client, of_alice = client_of(charlie), merchant.memberships.get(user=alice)
    assert client.post(_path(merchant, "invitations"), {"email": "a@example.com", "role": "owner"}).status_code == 404
    for what in ("role", "remove", "hand-over"):
        assert client.post(_path(merchant, "members", of_alice.pk, what), {"role": "viewer"}).status_code == 404
    assert Membership.objects.filter(merchant=merchant).count() == 1


def test_services_ask_again(actor_of, bob, merchant):
    membership = MembershipFactory(merchant=merchant, user=UserFactory())
    actor = actor_of(bob)
    for call in (
        lambda: members.invite(actor=actor, merchant=merchant, email="a@example.com", role="owner"),
        lambda: members.change_role(actor=actor, membership=membership, role="owner"),
        lambda: members.remove_member(actor=actor, membership=membership),
        lambda: members.hand_over(actor=actor, membership=membership),
    ):
        with pytest.raises(Forbidden):
            call()


def test_an_invitation_is_used_once(actor_of, alice, merchant, charlie):
    invitation, _secret = members.invite(actor=actor_of(alice), merchant=merchant, email=charlie.email, role="editor")
    members.join(user=charlie, invitation=invitation)
    merchant.memberships.filter(user=charlie).delete()
    with pytest.raises(Conflict):
        members.join(user=charlie, invitation=invitation)


def test_an_administrator_opens_a_shop_and_invites_its_first_owner(
    client_of, admin, django_capture_on_commit_callbacks
):
    client = client_of(admin)
    data = {"name": "Nina's shop", "first_owner": "nina@example.com", "images_for_training": "on"}
    with django_capture_on_commit_callbacks(execute=True):
        client.post("/admin/accounts/merchant/add/", data)

    joined = _stranger().post(link_in(mail.outbox[0]), {"name": "Nina", "password": PASSWORD}, follow=True)
    assert "Welcome to Nina" in joined.text
    assert Membership.objects.get(user__email="nina@example.com").role == "owner"
