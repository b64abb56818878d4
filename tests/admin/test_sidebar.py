import pytest
from django.contrib.auth.models import Permission

from config.sidebar import GROUPS
from tests.support.factories import UserFactory

LINKS = [f"/admin/{model.replace('.', '/')}/" for _, pages in GROUPS for _, _, model in pages]


def test_it_lists_every_page_for_an_administrator(client_of, admin):
    page = client_of(admin).get("/admin/").content.decode()
    assert [link for link in LINKS if f'href="{link}"' not in page] == []


@pytest.mark.django_db
def test_it_lists_only_what_a_person_may_look_at(client_of):
    clerk = UserFactory(is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_attribute"))
    page = client_of(clerk).get("/admin/").content.decode()
    assert [link for link in LINKS if f'href="{link}"' in page] == ["/admin/catalog/attribute/"]
    assert "pending_actions" not in page
