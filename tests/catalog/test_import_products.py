"""Products from files: what is made, what is changed, and what stays."""

import pytest
from django.core.files.storage import default_storage

from accounts.models import Operation
from catalog import services
from catalog.models import Decision, ImportLine, PendingFile, Product, ProductImage
from tests.support.import_files import checked, codes, csv_file, imported, lines, photos, xlsx_file, zip_file
from tests.support.seen_products import current_values

pytestmark = pytest.mark.django_db

COAT = ("A-1", "울 코트", "코트", "울/캐시미어", "", "")
TEE = ("B-2", "반팔 티", "Tshirt", "cotton", "short", "")


@pytest.fixture
def actor(alice, actor_of):
    return actor_of(alice)


def _state(merchant):
    return {
        product.sku: (product.name, product.version, current_values(product))
        for product in Product.objects.filter(merchant=merchant)
    }


def test_the_dry_run_says_what_will_be_and_writes_nothing(actor, merchant):
    found = checked(actor, table_csv=csv_file(COAT, TEE))
    assert found.counts == {"new": 2}
    assert [(line.number, line.sku, line.action) for line in lines(found)] == [(2, "A-1", "new"), (3, "B-2", "new")]
    assert {"column": "category", "before": "", "after": "Coat"} in lines(found)[0].changes
    assert not Product.objects.exists()
    assert not Decision.objects.exists()


def test_an_import_makes_products_with_decided_values_and_photos(actor, merchant):
    found = imported(
        actor, table_xlsx=xlsx_file(COAT, TEE), photos_zip=zip_file(photos("A-1_1.jpg", "A-1_2.jpg", "B-2/front.jpg"))
    )
    coat, tee = Product.objects.get(sku="A-1"), Product.objects.get(sku="B-2")
    assert (coat.name, coat.images.count(), tee.images.count()) == ("울 코트", 2, 1)
    assert current_values(coat)["category"] == ("decided", "Coat")
    assert current_values(tee)["sleeve_length"] == ("decided", "short")
    assert set(Decision.objects.values_list("source", "operation")) == {("import", found.operation_id)}
    assert [(line.outcome, line.product) for line in lines(found)] == [("created", coat), ("created", tee)]
    operation = found.operation
    assert (operation.state, operation.total, operation.done, operation.failed) == ("done", 2, 2, 0)
    assert not PendingFile.objects.exists()


def test_the_same_import_again_changes_nothing(actor, merchant):
    files = {
        "table_csv": csv_file((*COAT[:5], "one.jpg|two.jpg"), TEE),
        "photos_zip": zip_file(photos("one.jpg", "two.jpg", "B-2_1.jpg")),
    }
    imported(actor, **files)
    before, images = _state(merchant), set(ProductImage.objects.values_list("sha256", flat=True))
    found = imported(actor, **files)
    assert [line.outcome for line in lines(found)] == ["unchanged", "unchanged"]
    assert _state(merchant) == before
    assert ProductImage.objects.count() == len(images) == 3


def test_products_that_are_there_are_changed_and_empty_cells_leave_them_alone(actor, merchant):
    imported(actor, table_csv=csv_file(COAT, TEE))
    found = imported(actor, table_csv=csv_file(("a-1 ", "", "", "니트", "", ""), ("B-2", "다른 이름", "", "", "-", "")))
    assert Product.objects.filter(merchant=merchant).count() == 2
    coat, tee = Product.objects.get(sku="A-1"), Product.objects.get(sku="B-2")
    assert (coat.name, current_values(coat)["material"]) == ("울 코트", ("decided", "knit"))
    assert (tee.name, current_values(tee)["sleeve_length"]) == ("다른 이름", ("not_applicable", None))
    assert [line.outcome for line in lines(found)] == ["changed", "changed"]


def test_photos_alone_become_products_by_their_names_or_folders(actor, merchant):
    imported(actor, photos_zip=zip_file(photos("all/A 1_1.jpg", "all/A 1_2.jpg", "all/B_1.jpg", "C/1.jpg", "C/2.jpg")))
    assert {product.sku: product.images.count() for product in Product.objects.all()} == {"A 1": 2, "B": 1, "C": 2}


def test_a_table_inside_of_the_zip_counts(actor, merchant):
    imported(actor, all_zip=zip_file({"products.xlsx": xlsx_file(COAT), **photos("A-1.jpg")}))
    assert Product.objects.get(sku="A-1").images.count() == 1


def test_korean_names_in_a_zip_of_korean_windows_are_read(actor, merchant):
    data = zip_file(photos("XXXX_1.jpg"))
    imported(actor, photos_zip=data.replace(b"XXXX", "코트".encode("cp949")))
    assert Product.objects.get().sku == "코트"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "utf-16"])
def test_every_encoding_of_korean_spreadsheets_is_read(encoding, actor, merchant):
    imported(actor, table_csv=csv_file(COAT, encoding=encoding, delimiter="\t" if encoding == "utf-16" else ","))
    assert Product.objects.get().name == "울 코트"


def test_what_is_wrong_is_said_by_line_and_costs_only_its_line(actor, merchant):
    rows = [
        ("", "no sku", "", "", "", ""),
        ("A-1", "", "코트", "unobtainium", "", ""),
        ("B-2", "good", "", "", "", ""),
        ("b-2", "again", "", "", "", ""),
        ("C-3", "x" * 201, "", "", "", ""),
        ("D-4", "", "-", "", "", ""),
    ]
    found = imported(actor, table_csv=csv_file(*rows))
    assert [(line.action, codes(line)) for line in lines(found)] == [
        ("wrong", ["sku_missing"]),
        ("wrong", ["unknown_value"]),
        ("new", []),
        ("wrong", ["sku_twice"]),
        ("wrong", ["name_too_long"]),
        ("wrong", ["category_needed"]),
    ]
    assert list(Product.objects.values_list("sku", flat=True)) == ["B-2"]
    assert (found.operation.total, found.operation.done, found.operation.failed) == (6, 1, 5)


def test_a_broken_photo_costs_only_itself(actor, merchant):
    good = photos("A_1.jpg", "A_2.jpg", "A_3.jpg")
    good["A_2.jpg"] = good["A_2.jpg"][:300]
    good["B_1.jpg"] = b"this is no photo"
    found = imported(actor, table_csv=csv_file(("A", *COAT[1:]), ("B", *TEE[1:])), photos_zip=zip_file(good))
    assert Product.objects.get(sku="A").images.count() == 2
    assert Product.objects.get(sku="B").images.count() == 0
    first, second = lines(found)
    assert (first.outcome, codes(first), second.outcome, codes(second)) == (
        "created",
        ["image_refused"],
        "created",
        ["image_refused"],
    )


def test_a_photo_that_is_broken_stays_unchanged_when_it_comes_again(actor, merchant):
    broken = {"A_1.jpg": photos("A_1.jpg")["A_1.jpg"][:2000]}
    for outcome in ("created", "unchanged"):
        [line] = lines(imported(actor, table_csv=csv_file(("A", *COAT[1:])), photos_zip=zip_file(broken)))
        assert (line.outcome, codes(line)) == (outcome, ["image_refused"])


def test_categories_are_also_read_as_merchants_call_them(actor, merchant):
    imported(actor, table_csv=csv_file(("A", "", "자켓"), ("B", "", "후드티"), ("C", "", "knit sweater")))
    said = {product.sku: current_values(product)["category"][1] for product in Product.objects.all()}
    assert said["A"] == "Jacket"


def test_photos_that_another_product_has_are_said_and_taken(actor, merchant):
    same = photos("A_1.jpg")["A_1.jpg"]
    imported(actor, photos_zip=zip_file({"A_1.jpg": same}))
    [line] = lines(imported(actor, photos_zip=zip_file({"B_1.jpg": same})))
    assert (line.outcome, codes(line), line.problems[0]["params"]["product"]) == ("created", ["image_elsewhere"], "A")


def test_photos_that_are_missing_addresses_or_belong_to_nobody_are_said(actor, merchant):
    row = (*COAT[:5], "there.jpg|not.jpg|https://example.com/x.jpg")
    found = imported(actor, table_csv=csv_file(row), photos_zip=zip_file(photos("there.jpg", "lost.jpg")))
    line, unmatched = lines(found)
    assert (line.outcome, codes(line)) == ("created", ["image_missing", "image_address"])
    assert (unmatched.action, codes(unmatched)) == ("wrong", ["image_unmatched"])


def test_the_report_has_a_line_for_each_line(actor, merchant):
    found = imported(actor, table_csv=csv_file(COAT, ("=1+1", "formula", "", "", "", ""), ("", "x", "", "", "", "")))
    with default_storage.open(found.operation.result_file) as file:
        text = file.read().decode("utf-8-sig").splitlines()
    assert len(text) == 4
    assert text[2].split(",")[1] == "'=1+1"
    assert Operation.objects.get(kind="import_products").result_file == found.operation.result_file


def test_columns_can_be_said(actor, merchant):
    table = csv_file(("A-1", "x", "울 코트"), heads=("code", "nothing", "title of it"))
    found = checked(actor, table_csv=table)
    assert found.refusal["code"] == "no_sku_column"
    from catalog.services.imports import sending
    from tests.support.import_files import work

    sending.start_check(actor=actor, found=found, columns={0: "sku", 2: "name"})
    work()
    found.refresh_from_db()
    assert found.counts == {"new": 1}
    sending.start(actor=actor, found=found)
    work()
    assert Product.objects.get().name == "울 코트"


def test_statuses_are_followed_where_people_choose_them(actor, merchant):
    heads = ("SKU", "카테고리", "상태")
    imported(
        actor, table_csv=csv_file(("A", "코트", "게시됨"), ("B", "코트", "archived"), ("C", "코트", ""), heads=heads)
    )
    statuses = dict(Product.objects.values_list("sku", "status"))
    assert (statuses["A"], statuses["B"]) == ("published", "archived")
    found = imported(actor, table_csv=csv_file(("A", "", "to_review"), ("B", "셔츠", ""), heads=heads))
    assert [(line.outcome, codes(line)) for line in lines(found)] == [
        ("unchanged", ["cannot_follow"]),
        ("refused", ["archived_line"]),
    ]


def test_an_attribute_that_the_category_does_not_have_is_left_out_and_said(actor, merchant):
    found = imported(actor, table_csv=csv_file(("P", "바지", "Pants", "cotton", "short", "")))
    [line] = lines(found)
    assert (line.outcome, codes(line)) == ("created", ["column_not_applicable"])
    again = imported(actor, table_csv=csv_file(("P", "바지", "Pants", "cotton", "short", "")))
    assert [(line.outcome, codes(line)) for line in lines(again)] == [("unchanged", ["column_not_applicable"])]


def test_other_merchants_products_are_not_touched(actor, merchant, other_merchant):
    theirs = services.create_product(actor=actor.__class__(channel=actor.channel), merchant=other_merchant, sku="A-1")
    imported(actor, table_csv=csv_file(COAT))
    theirs.refresh_from_db()
    assert theirs.name == ""
    assert Product.objects.filter(sku="A-1").count() == 2
    assert ImportLine.objects.exclude(product__merchant=merchant).count() == 0
