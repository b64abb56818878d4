"""`manage.py import_products` does what the portal does."""

import csv
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Operation
from catalog.models import Decision, ImportFile, Product
from tests.support.import_files import csv_file, photos

pytestmark = pytest.mark.django_db


def _run(*args, **options):
    out = StringIO()
    call_command("import_products", *map(str, args), stdout=out, **options)
    return out.getvalue()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "photos" / "A-1").mkdir(parents=True)
    for name, data in photos("A-1/front.jpg", "A-1/back.jpg").items():
        (tmp_path / "photos" / name).write_bytes(data)
    (tmp_path / "list.csv").write_bytes(csv_file(("A-1", "울 코트", "코트", "", "", ""), ("", "x", "", "", "", "")))
    return tmp_path


def test_it_says_what_would_be_done_and_with_yes_does_it(folder, merchant):
    files = (folder / "list.csv", folder / "photos")
    said = _run(*files, merchant=merchant.name)
    assert "2 lines: 1 new, 1 wrong" in said
    assert "line 3 : The line has no SKU." in said
    assert not Product.objects.exists()

    assert "1 lines done, 1 not possible" in _run(
        *files, merchant=merchant.name, yes=True, report=folder / "report.csv"
    )
    product = Product.objects.get()
    assert (product.name, product.images.count(), product.merchant) == ("울 코트", 2, merchant)
    assert set(Decision.objects.values_list("source", "channel")) == {("import", "command")}
    assert len(list(csv.reader((folder / "report.csv").open(encoding="utf-8-sig")))) == 3
    assert not ImportFile.objects.exists()


def test_columns_are_named(tmp_path, merchant):
    (tmp_path / "list.csv").write_bytes(csv_file(("A-1", "울 코트"), heads=("our code", "words")))
    with pytest.raises(CommandError, match="SKU"):
        _run(tmp_path / "list.csv", merchant=merchant.name, yes=True)
    _run(tmp_path / "list.csv", merchant=merchant.name, yes=True, column=["our code=sku", "words=name"])
    assert Product.objects.get().name == "울 코트"


def test_a_worker_may_do_it(folder, merchant):
    _run(folder / "list.csv", merchant=merchant.name, yes=True, queue=True)
    assert not Product.objects.exists()
    assert Operation.objects.get(kind="import_products").state == "queued"
    from accounts.services import operations

    operations.continue_some()
    assert Product.objects.get().sku == "A-1"


def test_what_cannot_be_read_is_a_sentence(tmp_path, merchant):
    (tmp_path / "x.pdf").write_bytes(b"%PDF")
    with pytest.raises(CommandError, match="neither a table"):
        _run(tmp_path / "x.pdf", merchant=merchant.name)
