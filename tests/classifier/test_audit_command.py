"""How `manage.py audit_data` answers, and that it walks in batches and writes nothing."""

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.models import Product
from classifier.consistency import KINDS, audit, products, terms, walking
from tests.support.audited import audited
from tests.support.factories import MerchantFactory, ProductFactory

pytestmark = pytest.mark.django_db


def test_it_shows_a_line_for_each_kind_and_the_first_ten(merchant, capsys):
    made = [ProductFactory(merchant=merchant) for _number in range(12)]
    Product.objects.update(failed_images=1)

    with pytest.raises(SystemExit) as ended:
        call_command("audit_data")

    assert ended.value.code == 1
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert [line.split(":")[0] for line in lines if not line.startswith(" ")] == list(KINDS)
    place = next(number for number, line in enumerate(lines) if line.startswith("failed-images: 12 "))
    assert lines[place + 1].strip() == ", ".join(product.public_id for product in made[:10])
    assert "products: 100%" in err


def test_it_says_nothing_is_wrong_by_its_status(capsys):
    call_command("audit_data")
    assert all(": 0  (" in line for line in capsys.readouterr().out.splitlines())


def test_it_looks_for_some_kinds_only(product):
    Product.objects.update(failed_images=1, certainty=3)
    answer, status = audited("certainty", "requests-overdue")
    assert set(answer["kinds"]) == {"certainty", "requests-overdue"}
    assert (answer["findings"], status) == (0, 0)  # without values nothing was computed yet
    answer, status = audited("failed-images")
    assert (answer["kinds"]["failed-images"]["first"], status) == ([product.public_id], 1)


def test_it_refuses_a_kind_that_there_is_not():
    with pytest.raises(CommandError, match="invalid choice"):
        call_command("audit_data", "--only", "everything")


def test_it_writes_nothing(merchant, classified):
    classified(merchant, "red")
    Product.objects.update(failed_images=1, name_order="x")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        audited()
    written = [one["sql"] for one in queries if one["sql"].startswith(("INSERT", "UPDATE", "DELETE", "REPLACE"))]
    assert written == []


def test_every_table_is_walked_to_its_end(monkeypatch):
    monkeypatch.setattr(products, "_AT_A_TIME", 2)
    monkeypatch.setattr(terms, "_PRODUCTS", 2)
    monkeypatch.setattr(terms, "_TERMS", 3)
    monkeypatch.setattr(walking, "BATCH", 2)
    made = [ProductFactory(merchant=merchant) for merchant in MerchantFactory.create_batch(2) for _number in range(3)]
    Product.objects.update(failed_images=1)
    for product in made:
        product.terms.model.objects.create(merchant=product.merchant, term=7, product=product)

    found = audit()

    numbers = [product.public_id for product in made]
    assert {code: one.first for code, one in found.items() if one.count} == {
        "failed-images": numbers,
        "terms-strange": [f"{number}: 7" for number in numbers],
    }
