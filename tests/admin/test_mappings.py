"""Administrators keep mappings: in a table, by CSV, version by version."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from catalog.models import AttributeValue, TaxonomyMapping
from catalog.services import mappings
from tests.portal.test_export import set_value
from tests.support.factories import ProductFactory, staff_user

pytestmark = pytest.mark.django_db

LIST = "/admin/catalog/taxonomymapping/"


@pytest.fixture
def naver():
    mappings.load_shipped()
    return TaxonomyMapping.objects.get(code="naver_women")


@pytest.fixture
def staff(admin):
    client = Client(headers={"accept-language": "en"})
    client.force_login(admin)
    return client


def pk_of(code):
    return AttributeValue.objects.get(attribute__code="category", code=code).pk


def table_of(client, mapping):
    """What the form on the page sends when nothing is typed."""
    table = client.get(f"{LIST}{mapping.pk}/entries/").context["table"]
    data = {"name": mapping.name, "source": mapping.source}
    for row in table.rows:
        data |= {f"code-{row.key}": row.code, f"name-{row.key}": row.name}
    return data


def test_the_page_shows_entries_what_has_none_and_real_products(staff, naver, product):
    set_value(product, "category", "Zipup")
    page = staff.get(f"{LIST}{naver.pk}/change/").text
    for said in ("50021320", "Zip-up", product.name, "1 product without a counterpart"):
        assert said in page
    assert naver.name in staff.get(LIST).text


def test_editing_stores_the_next_version(staff, naver):
    data = table_of(staff, naver)
    data |= {f"code-{pk_of('Zipup')}-": "50000814", f"code-{pk_of('Dress')}-": ""}
    leather = AttributeValue.objects.get(code="leather").pk
    data |= {"value-0": pk_of("Coat"), "other-0": leather, "code-new-0": "50021320", "name-new-0": "가죽"}
    response = staff.post(f"{LIST}{naver.pk}/entries/", data)

    newest = TaxonomyMapping.objects.newest().get(code="naver_women")
    assert (newest.version, response.url) == (2, f"{LIST}{newest.pk}/change/")
    found = {(entry.value.code, entry.other and entry.other.code): entry.code for entry in mappings.entries_of(newest)}
    assert found["Zipup", None] == "50000814"
    assert found["Coat", "leather"] == "50021320"
    assert ("Dress", None) not in found
    assert "There is a newer version" in staff.get(f"{LIST}{naver.pk}/change/").text
    assert staff.get(f"{LIST}{naver.pk}/entries/").status_code == 302


def test_saving_without_a_change_stores_nothing(staff, naver):
    staff.post(f"{LIST}{naver.pk}/entries/", table_of(staff, naver))
    assert TaxonomyMapping.objects.filter(code="naver_women").count() == 1


def test_a_file_comes_down_and_goes_up(staff, naver):
    raw = b"".join(staff.get(f"{LIST}{naver.pk}/csv/"))
    changed = raw.decode("utf-8-sig").replace("50000807", "50999999").encode("cp949")
    data = {"name": naver.name, "source": naver.source, "file": SimpleUploadedFile("m.csv", changed)}
    staff.post(f"{LIST}{naver.pk}/entries/", data)
    newest = TaxonomyMapping.objects.newest().get(code="naver_women")
    codes = {entry.value.code: entry.code for entry in mappings.entries_of(newest)}
    assert (newest.version, codes["Dress"], len(codes)) == (2, "50999999", 20)


def test_a_wrong_file_is_said_on_the_page_and_what_was_typed_stays(staff, naver):
    data = table_of(staff, naver) | {f"code-{pk_of('Zipup')}-": "TYPED"}
    data["file"] = SimpleUploadedFile("m.csv", b"value,code\nSofa,1\n")
    page = staff.post(f"{LIST}{naver.pk}/entries/", data).text
    assert "Line 2: Sofa is not a value" in page
    assert "TYPED" in page
    assert TaxonomyMapping.objects.filter(code="naver_women").count() == 1


def test_a_new_mapping_begins_with_its_page(staff, naver):
    data = {"code": "coupang", "name": "Coupang", "attribute": naver.attribute_id, "source": ""}
    response = staff.post(f"{LIST}add/", data, follow=True)
    assert response.status_code == 200
    assert TaxonomyMapping.objects.get(code="coupang").version == 1
    assert "already" in staff.post(f"{LIST}add/", data).text
    assert "lower-case" in staff.post(f"{LIST}add/", data | {"code": "Bad Code"}).text


def test_it_is_offered_or_not(staff, naver):
    for action, offered in (("withdraw", False), ("offer", True)):
        address = f"{LIST}{naver.pk}/{action}/"
        assert staff.get(address).status_code in {200, 302}, address
        staff.post(address, {"_form_submitted": "on"})
        naver.refresh_from_db()
        assert naver.offered == offered


def test_who_may_only_look_sees_no_way_to_change(naver):
    client = Client(headers={"accept-language": "en"})
    client.force_login(staff_user("view_taxonomymapping"))
    page = client.get(f"{LIST}{naver.pk}/change/")
    assert page.status_code == 200
    assert f"{LIST}{naver.pk}/edit" not in page.text
    assert client.get(f"{LIST}{naver.pk}/csv/").status_code == 200
    assert client.get(f"{LIST}{naver.pk}/entries/").status_code == 403
    assert client.get(f"{LIST}add/").status_code == 403
    ProductFactory()
    assert "real products" not in page.text
