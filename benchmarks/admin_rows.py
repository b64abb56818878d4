"""What administrators' lists show beside products, by the million: jobs, garments, predictions, decisions, the trail.

One job, garment and two predictions an image; decisions on what was published or auto-accepted; one line of the trail
a product; users and operations by the hundred thousand. For MariaDB or MySQL, behind `list_rows.fill`.
"""

from __future__ import annotations

from typing import Any

from benchmarks.list_rows import LARGE

USERS = 100_000
OPERATIONS = 100_000
_CHUNK = 100_000

_JOBS = """
INSERT INTO classifier_classification (id, purpose, priority, image_sha256, state, open_key, attempts, lease_token,
    lease_until, error_code, error_message, timings, queued_at, started_at, finished_at, applied_at, image_id,
    model_set_id, operation_id, garments_found, merchant_id, turn, not_before, drawn_only)
SELECT i.id, 'live', IF(i.id %% 5 = 0, 10, 0), i.sha256, IF(i.id %% 200 = 0, 'failed', 'done'), NULL, 1, '', NULL,
    IF(i.id %% 200 = 0, ELT(1 + i.id DIV 200 %% 3, 'unreadable', 'gave_up', 'file_missing'), ''), '',
    '{{"classify": 27.0, "decode": 6.1, "detect": 53.0}}', i.created_at, i.created_at + INTERVAL 1 SECOND,
    i.created_at + INTERVAL 2 SECOND, i.created_at + INTERVAL 3 SECOND, i.id, {model_set}, NULL, 1, p.merchant_id, 0,
    NULL, 0
FROM catalog_productimage i JOIN catalog_product p ON p.id = i.product_id WHERE i.id > %s AND i.id <= %s
"""
_GARMENTS = """
INSERT INTO classifier_garment (id, source, x1, y1, x2, y2, confidence, created_at, classification_id, created_by_id,
    image_id, absent)
SELECT id, 'model', 0.03, 0.08, 0.96, 0.91, 0.9, created_at, id, NULL, id, 0
FROM catalog_productimage WHERE id > %s AND id <= %s
"""
_PREDICTIONS = """
INSERT INTO classifier_prediction (confidence, calibrated, alternatives, created_at, attribute_id, garment_id,
    model_version_id, value_id)
SELECT COALESCE(a.confidence, 0.5), 1, '[{{"value": "knit", "confidence": 0.0137}}]', i.created_at, a.attribute_id,
    i.id, {version}, COALESCE(a.value_id, {value})
FROM catalog_productimage i JOIN catalog_productattribute a ON a.product_id = i.product_id
    AND a.attribute_id = {attribute} WHERE i.id > %s AND i.id <= %s
"""
_DECISIONS = """
INSERT INTO catalog_decision (kind, source, channel, created_at, attribute_id, product_id, value_id, user_id, answers,
    proposed_by_id, proposed_confidence, proposed_value_id)
SELECT 'set', IF(a.state = 'auto', 'auto', 'human'), IF(a.state = 'auto', 'command', 'portal'),
    p.created_at + INTERVAL 1 HOUR, a.attribute_id, p.id, a.value_id, IF(a.state = 'auto', NULL, {users} + p.id %% 60),
    IF(a.state = 'auto', 'accepted', ELT(1 + p.id %% 3, 'proposal', 'sample', 'published')), {version}, a.confidence,
    a.value_id
FROM catalog_product p JOIN catalog_productattribute a ON a.product_id = p.id AND a.attribute_id = {attribute}
WHERE p.id > %s AND p.id <= %s AND a.state IN ('auto', 'decided')
"""
_TRAIL = """
INSERT INTO accounts_auditevent (channel, action, subject_type, subject_id, details, created_at, user_id, merchant_id)
SELECT 'portal', ELT(1 + id %% 3, 'product.create', 'product.decide', 'product.publish'), 'product', public_id,
    '{{"attribute": "category", "value": "Coat"}}', created_at, {users} + id %% 60, merchant_id
FROM catalog_product WHERE id > %s AND id <= %s
"""
_USERS = """
INSERT INTO accounts_user (id, password, is_superuser, email, email_key, name, language, is_staff, is_active,
    date_joined)
SELECT {users} + seq, '!', 0, CONCAT('u', seq, '@shop.example'), SHA2(CONCAT('u', seq, '@shop.example'), 256),
    CONCAT('사람 ', seq), 'ko', 0, 1, NOW(6) FROM seq_0_to_{count}
"""
_OPERATIONS = """
INSERT INTO accounts_operation (public_id, kind, state, parameters, total, done, failed, error, result_file, attempts,
    lease_token, created_at, merchant_id, created_by_id)
SELECT LEFT(MD5(CONCAT('o', seq)), 20), ELT(1 + seq %% 3, 'bulk_decide', 'reclassify', 'shadow'),
    IF(seq %% 50 = 0, 'failed', 'done'), '{{}}', 100, 100, 0, '', '', 0, '', NOW(6) - INTERVAL ({count} - seq) MINUTE,
    {merchant} + seq %% 50, {users} FROM seq_1_to_{count}
"""
_FIRST_USER = 1_000_000


def fill() -> None:
    """Add the rows behind those of `list_rows.fill`."""
    from django.db import connection

    from catalog.models import AttributeValue, Product
    from classifier.models import Deployment, ModelSet, ModelVersion

    versions: dict[str, Any] = {
        role: ModelVersion.objects.create(
            role=role, name=f"{role}-bench", task="classify", sha256=role[0] * 64, input_size=224
        )
        for role in ("category", "material")
    }
    model_set = ModelSet.objects.create(name="bench", fingerprint="b" * 64)
    model_set.versions.set(versions.values())
    Deployment.objects.create(active=model_set)
    given = {"model_set": model_set.pk, "users": _FIRST_USER, "merchant": LARGE}
    inserts = [_JOBS.format(**given), _GARMENTS, _TRAIL.format(**given)]
    for role, version in versions.items():
        value = AttributeValue.objects.filter(attribute__code=role, children=None)[0]
        of_role = given | {"version": version.pk, "attribute": value.attribute_id, "value": value.pk}
        inserts += [_PREDICTIONS.format(**of_role), _DECISIONS.format(**of_role)]
    last = Product.objects.order_by("-pk").values_list("pk", flat=True)[0]
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION unique_checks = 0, foreign_key_checks = 0")
        cursor.execute(_USERS.format(count=USERS - 1, **given))
        cursor.execute(_OPERATIONS.format(count=OPERATIONS, **given).replace("%%", "%"))
        for insert in inserts:
            for start in range(0, last, _CHUNK):
                cursor.execute(insert, (start, min(start + _CHUNK, last)))
        cursor.execute("UPDATE catalog_productimage SET current_classification_id = id")
        cursor.execute("SET SESSION unique_checks = 1, foreign_key_checks = 1")
        cursor.execute(
            "ANALYZE TABLE catalog_productimage, classifier_classification, classifier_garment, classifier_prediction, "
            "catalog_decision, accounts_auditevent, accounts_user, accounts_operation"
        )
