"""What people may do comes from themselves and from their groups, in one query, and lets nobody in by itself."""

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import Group, Permission
from django.urls import reverse

from tests.support.factories import UserFactory

PASSWORD = "correct horse battery staple"


@pytest.fixture
def clerk(db):
    """A person with one permission of their own, one by a group, and one by both."""
    user = UserFactory(is_staff=True)
    own, shared, by_group = Permission.objects.order_by("pk")[:3]
    user.user_permissions.set([own, shared])
    group = Group.objects.create(name="clerks")
    group.permissions.set([shared, by_group])
    user.groups.add(group)
    return user


def _names(permissions):
    return {f"{one.content_type.app_label}.{one.codename}" for one in permissions}


def test_own_and_groups_together_in_one_query(clerk, django_assert_num_queries):
    expected = _names(Permission.objects.select_related("content_type").order_by("pk")[:3])
    with django_assert_num_queries(1):
        assert clerk.get_all_permissions() == expected
        assert all(clerk.has_perm(one) for one in expected)
        assert not clerk.has_perm("catalog.no_such")
        assert not clerk.has_module_perms("no_such_app")


def test_nothing_for_the_inactive(clerk):
    clerk.is_active = False
    assert clerk.get_all_permissions() == set()


def test_everything_for_the_superuser(admin):
    assert admin.get_all_permissions() == _names(Permission.objects.select_related("content_type"))


def test_it_lets_nobody_in(clerk, rf):
    clerk.set_password(PASSWORD)
    clerk.save()
    user = authenticate(rf.post("/"), username=clerk.email, password=PASSWORD)
    assert user == clerk
    assert user.backend == "django.contrib.auth.backends.ModelBackend"


def test_who_was_logged_in_before_it_was_there_still_is(client, admin):
    client.force_login(admin, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(reverse("admin:index")).status_code == 200
