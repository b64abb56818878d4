"""Products by the million, as rows: what lists of products read, and nothing else. For MariaDB or MySQL.

60 % of the products are one merchant's. Status, values, confidences, names and SKUs are spread as hashes of their
numbers say, so that every run makes the same rows. There are no files, jobs or predictions behind them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

LARGE = 1001  # id of the merchant with most of the products
_OTHERS = 49
_CHUNK = 100_000
_ADJECTIVES = (
    "오버핏",
    "슬림",
    "클래식",
    "울 블렌드",
    "린넨",
    "데일리",
    "빈티지",
    "소프트",
    "스트라이프",
    "체크",
    "플리츠",
    "크롭",
)
_GARMENTS = (
    "코트",
    "자켓",
    "셔츠",
    "블라우스",
    "니트",
    "가디건",
    "티셔츠",
    "후드",
    "원피스",
    "스커트",
    "청바지",
    "팬츠",
    "점퍼",
    "조끼",
)

_NUMBERS = """
CREATE TABLE bench_products (
    id INT PRIMARY KEY, merchant INT, st VARCHAR(12), unclear VARCHAR(8), failed INT,
    cat INT, top INT, mat INT, slv INT,
    cc DOUBLE, cm DOUBLE, cs DOUBLE, at DATETIME(6), rc VARCHAR(40), lc VARCHAR(40), mc VARCHAR(40), sc VARCHAR(40),
    name VARCHAR(100), sku VARCHAR(20)
)
"""
# A hash of each number for each thing that is drawn; shares add up as the comparisons say.
_DRAW = """
INSERT INTO bench_products (id, merchant, st, unclear, failed, cc, cm, cs, at, cat, mat, slv, name, sku)
SELECT n, IF(CRC32(CONCAT('m', n)) %% 100 < 60, {large}, {large} + 1 + CRC32(CONCAT('s', n)) %% {others}),
    ELT(1 + (h0 >= 55) + (h0 >= 70) + (h0 >= 92) + (h0 >= 94), 'published', 'ready', 'to_review', 'draft', 'archived'),
    IF(h0 >= 70 AND h0 < 92 AND CRC32(CONCAT('u', n)) %% 20 = 0,
       IF(CRC32(CONCAT('v', n)) %% 4 = 0, 'nothing', 'several'), ''),
    CRC32(CONCAT('f', n)) %% 400 = 0,
    LEAST(0.9999, 0.35 + 0.65 * SQRT(CRC32(CONCAT('cc', n)) %% 10000 / 10000)),
    LEAST(0.9999, 0.25 + 0.75 * SQRT(CRC32(CONCAT('cm', n)) %% 10000 / 10000)),
    LEAST(0.9999, 0.40 + 0.60 * SQRT(CRC32(CONCAT('cs', n)) %% 10000 / 10000)),
    NOW(6) - INTERVAL ({count} - n) * 31 SECOND,
    1 + FLOOR({categories} * POW(CRC32(CONCAT('c', n)) %% 10000 / 10000, 1.5)),
    1 + FLOOR({materials} * POW(CRC32(CONCAT('t', n)) %% 10000 / 10000, 1.3)),
    1 + CRC32(CONCAT('l', n)) %% {sleeves},
    CONCAT(ELT(1 + CRC32(CONCAT('a', n)) %% {adjectives}, {adjective_list}), ' ',
           ELT(1 + CRC32(CONCAT('g', n)) %% {garments}, {garment_list}), ' ', CRC32(CONCAT('h', n)) %% 100000),
    CONCAT('SKU-', LPAD(n, 7, '0'))
FROM (SELECT seq AS n, CRC32(CONCAT('st', seq)) %% 100 AS h0 FROM seq_1_to_{count}) drawn
"""
_PRODUCTS = """
INSERT INTO catalog_product (id, public_id, sku, sku_key, name, status, top_category_source, proposal, version,
    created_at, updated_at, published_at, archived_at, created_by_id, merchant_id, top_category_id, search_text,
    name_order, sku_order, unclear, certainty, failed_images)
SELECT id, LEFT(MD5(CONCAT('p', id)), 20), sku, SHA2(LOWER(sku), 256), name, st,
    IF(st = 'draft' OR unclear <> '', '', IF(st = 'published', 'human', 'auto')),
    IF(st = 'draft' OR unclear = 'nothing', '[]', CONCAT(
        '[{"top_category": "', lc, '", "confidence": ', ROUND(cc, 4), ', "images": 3, "total": 3, "garments": [', id,
        '], "attributes": {"category": {"value": "', rc, '", "confidence": ', ROUND(cc, 4), @alternatives, id,
        ', "model": "category-2026.11b", "acceptance": ""}, "material": {"value": "', mc, '", "confidence": ',
        ROUND(cm, 4), @alternatives, id, ', "model": "material-2026.11b", "acceptance": ""}, "sleeve_length": {',
        '"value": "', sc, '", "confidence": ', ROUND(cs, 4), @alternatives, id,
        ', "model": "sleeve-length-2026.11b", "acceptance": ""}}, "chosen": ', IF(unclear = '', 'true', 'false'),
        ', "reasons": [{"code": "found", "images": 3, "total": 3, "word": ""}]}]')),
    2, at, at + INTERVAL CRC32(CONCAT('w', id)) %% 864000 SECOND,
    IF(st = 'published', at + INTERVAL 1 HOUR, NULL), IF(st = 'archived', at + INTERVAL 1 DAY, NULL), NULL, merchant,
    IF(st = 'draft' OR unclear <> '', NULL, top), LOWER(CONCAT(name, ' ', sku)), name, LOWER(sku), unclear,
    IF(st = 'to_review', FLOOR(10000 * IF(unclear = '', LEAST(cc, cm, cs), IF(unclear = 'several', cc, 1))), 10000),
    failed
FROM bench_products WHERE id > %s AND id <= %s
"""
_ALTERNATIVES = (
    """', "calibrated": true, "alternatives": [{"value": "Jacket", "confidence": 0.0412}, """
    """{"value": "Coat", "confidence": 0.0301}, {"value": "Jumper", "confidence": 0.0121}], "prediction": '"""
)
_IMAGES = """
INSERT INTO catalog_productimage (public_id, original, display, thumbnail, small, original_name, sha256, size,
    width, height, position, created_at, archived_at, current_classification_id, product_id, uploaded_by_id)
SELECT LEFT(MD5(CONCAT('i', id)), 20), 'products/shared/one.jpg', 'products/shared/one-display.jpg',
    'products/shared/one-thumbnail.jpg', '', CONCAT('IMG_', id, '.jpg'), SHA2(id, 256), 120000,
    600, 800, 0, at, NULL, NULL, id, NULL
FROM bench_products WHERE id > %s AND id <= %s
"""
_VALUES = """
INSERT INTO catalog_productattribute (state, confidence, updated_at, attribute_id, decision_id, product_id, value_id,
    merchant_id)
SELECT IF(st = 'draft' OR unclear <> '', 'unset', ELT(FIELD(st, 'to_review', 'ready', 'published', 'archived'),
        'proposed', 'auto', 'decided', 'decided')),
    IF(st = 'draft' OR unclear <> '', NULL, ROUND({confidence}, 4)), at, {attribute}, NULL, id,
    IF(st = 'draft' OR unclear <> '', NULL, {value}), merchant
FROM bench_products WHERE id > %s AND id <= %s
"""


def _quoted(words: tuple[str, ...]) -> str:
    return ", ".join(f"'{word}'" for word in words)


def _leaves(attribute: str) -> list[Any]:
    from catalog.selectors import Taxonomy

    return Taxonomy.load().leaves(attribute)


def _draw(cursor: Any, count: int) -> None:
    """Draw what each product is, in a table of its own."""
    leaves = {code: _leaves(code) for code in ("category", "material", "sleeve_length")}
    cursor.execute(_NUMBERS)
    cursor.execute(
        _DRAW.format(
            large=LARGE, others=_OTHERS, count=count, categories=len(leaves["category"]),
            materials=len(leaves["material"]), sleeves=len(leaves["sleeve_length"]), adjectives=len(_ADJECTIVES),
            garments=len(_GARMENTS), adjective_list=_quoted(_ADJECTIVES), garment_list=_quoted(_GARMENTS),
        ).replace("%%", "%")
    )  # fmt: skip
    for column, code, name in (("cat", "category", "rc"), ("mat", "material", "mc"), ("slv", "sleeve_length", "sc")):
        cursor.execute("CREATE TEMPORARY TABLE bench_leaves (n INT PRIMARY KEY, id INT, top INT, code VARCHAR(40))")
        rows = [(n, leaf.pk, leaf.parent_id or leaf.pk, leaf.code) for n, leaf in enumerate(leaves[code], 1)]
        cursor.executemany("INSERT INTO bench_leaves VALUES (%s, %s, %s, %s)", rows)
        top = ", p.top = l.top" if column == "cat" else ""
        cursor.execute(
            f"UPDATE bench_products p JOIN bench_leaves l ON l.n = p.{column} "
            f"SET p.{column} = l.id, p.{name} = l.code{top}"
        )
        cursor.execute("DROP TEMPORARY TABLE bench_leaves")
    cursor.execute(
        "UPDATE bench_products p JOIN catalog_attributevalue v ON v.id = p.top SET p.lc = v.code WHERE p.top > 0"
    )


def fill(count: int) -> None:
    """Make so many products in an empty, migrated database with its taxonomy; at a million a few minutes."""
    from django.db import connection

    from accounts.models import Merchant
    from catalog.models import Attribute, Product, ProductAttribute

    Merchant.objects.bulk_create(
        Merchant(pk=LARGE + number, name=f"Merchant {number}") for number in range(1 + _OTHERS)
    )
    attributes = dict(Attribute.objects.values_list("code", "pk"))
    inserts = [_PRODUCTS.replace("@alternatives", _ALTERNATIVES), _IMAGES]
    for code, column, confidence in (
        ("category", "cat", "cc"),
        ("material", "mat", "cm"),
        ("sleeve_length", "slv", "cs"),
    ):
        inserts.append(_VALUES.format(confidence=confidence, value=column, attribute=attributes[code]))
    models = (Product, ProductAttribute)
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION unique_checks = 0, foreign_key_checks = 0")
        _draw(cursor, count)
        _change_indexes(models, add=False)
        for insert in inserts:
            for start in range(0, count, _CHUNK):
                cursor.execute(insert, (start, min(start + _CHUNK, count)))
        _change_indexes(models, add=True)
        _terms(cursor)
        cursor.execute("SET SESSION unique_checks = 1, foreign_key_checks = 1")
        cursor.execute("DROP TABLE bench_products")
        tables = ("catalog_product", "catalog_productattribute", "catalog_productimage", "catalog_productterm")
        cursor.execute(f"ANALYZE TABLE {', '.join(tables)}")


def _change_indexes(models: tuple[Any, ...], *, add: bool) -> None:
    """Take the models' indexes away, or make them: at once that is quicker than with every row."""
    from django.db import connection

    with connection.schema_editor() as editor:
        for model in models:
            for index in model._meta.indexes:
                if index.name.startswith(("product_", "current_value_merchant")) and index.name not in _FOR_KEYS:
                    (editor.add_index if add else editor.remove_index)(model, index)


_FOR_KEYS = frozenset(("product_merchant",))  # foreign keys need one


def _rows(count: int = 200_000) -> Iterator[list[tuple[int, int, str]]]:
    from catalog.models import Product

    last = 0
    while rows := list(
        Product.objects.filter(pk__gt=last).order_by("pk").values_list("merchant_id", "pk", "search_text")[:count]
    ):
        yield rows
        last = rows[-1][1]


def _terms(cursor: Any) -> None:
    """Index the names and SKUs by the code that does so on the site, in the order of the table's key."""
    from catalog.search import terms_of

    parts = []
    for products in _rows():
        columns: tuple[list[int], list[int], list[int]] = ([], [], [])
        for merchant, product, text in products:
            found = terms_of(text)
            columns[0].extend([merchant] * len(found))
            columns[1].extend(found)
            columns[2].extend([product] * len(found))
        parts.append([np.array(column, np.int64) for column in columns])
    merchants, terms, ids = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((ids, terms, merchants))
    with tempfile.TemporaryDirectory(prefix="otjang-terms-") as folder:
        Path(folder).chmod(0o755)
        path = Path(folder, "terms.tsv")
        with path.open("w") as file:
            for start in range(0, len(order), 1_000_000):
                part = order[start : start + 1_000_000]
                rows = zip(merchants[part].tolist(), terms[part].tolist(), ids[part].tolist(), strict=True)
                file.writelines(f"{merchant}\t{term}\t{pk}\n" for merchant, term, pk in rows)
        path.chmod(0o644)
        cursor.execute(f"LOAD DATA INFILE '{path}' INTO TABLE catalog_productterm (merchant_id, term, product_id)")
