"""What was stored before there was one word for each thing reads as it did, and can be taken back."""

import pytest

from accounts.models import AuditEvent
from catalog.proposal import Acceptance, Alternative, Candidate, Proposal, ProposedValue
from classifier.models import ShadowReport
from tests.support.factories import ProductFactory
from tests.support.migrated import database_at
from tests.support.written_proposals import candidate, propose

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE = (("accounts", "0006_words"), ("catalog", "0006_pending_files"), ("classifier", "0008_queue_turns"))

DENIM = {
    "value": "denim",
    "confidence": 0.88,
    "calibrated": True,
    "alternatives": [{"value": "woven", "confidence": 0.1}],
    "prediction": 7,
    "model": "material-1",
    "acceptance": "accept",
}
JACKET = {"value": "Jacket", "confidence": 0.94, "prediction": 8}  # as the first release wrote it
STORED = [
    {
        "first_level": "Outer",
        "confidence": 0.91,
        "photographs": 2,
        "of": 3,
        "garments": [4, 5],
        "attributes": {"material": DENIM, "category": JACKET},
        "chosen": True,
    }
]
READ = Proposal(
    (
        Candidate(
            top_category="Outer",
            confidence=0.91,
            images=2,
            total=3,
            garments=(4, 5),
            attributes={
                "material": ProposedValue(
                    "denim", 0.88, True, (Alternative("woven", 0.1),), 7, "material-1", Acceptance.ACCEPT
                ),
                "category": ProposedValue("Jacket", 0.94, False, (), 8, ""),
            },
            chosen=True,
        ),
    )
)


def _store_as_before(then, outer, seen):
    """Rows as they were written in the words of that time."""
    products, events = then.get_model("catalog", "Product").objects, then.get_model("accounts", "AuditEvent")
    level = then.get_model("catalog", "AttributeValue").objects.get(code="Outer", parent=None)
    products.filter(pk=outer.pk).update(proposal=STORED, row=level, row_source="auto")
    entry = {name: said for name, said in STORED[0].items() if name != "chosen"}
    products.filter(pk=seen.pk).update(proposal=[entry])
    for action, details in (
        ("product.review", {"first_level": "Outer", "values": {"material": "denim"}}),
        ("product.choose_row", {"first_level": "Top"}),
        ("product.delete", {"name": "Coat", "photographs": 3}),
        ("image.archive", {"image": "abc", "name": "photographs"}),
    ):
        events.objects.create(action=action, details=details, subject_type="product", channel="portal")
    candidate_set = then.get_model("classifier", "ModelSet").objects.create(name="new", fingerprint="1")
    operation = then.get_model("accounts", "Operation").objects.create(kind="shadow")
    then.get_model("classifier", "ShadowReport").objects.create(
        operation=operation, candidate=candidate_set, figures={"photographs": 3, "products": 2}
    )


def _check_as_before(then, product):
    """What today's code wrote, in the words of that time."""
    before = then.get_model("catalog", "Product").objects.get(pk=product.pk)
    assert (before.row.code, before.row_source) == ("Outer", "auto")
    [entry] = before.proposal
    assert {name: entry[name] for name in ("first_level", "photographs", "of", "chosen")} == {
        "first_level": "Outer",
        "photographs": 2,
        "of": 3,
        "chosen": True,
    }
    assert "acceptance" not in entry["attributes"]["category"]


def test_it_converts_what_is_stored_and_can_be_taken_back(merchant):
    """One way back and forth: it takes most of a minute."""
    outer, seen, empty, proposed = (ProductFactory(merchant=merchant) for _ in range(4))
    propose(proposed, candidate("Outer", 0.9, images=2, total=3, category=("Jacket", 0.94)), chosen="Outer")
    proposal = proposed.proposal
    audited = set(AuditEvent.objects.values_list("pk", flat=True))

    with database_at(*BEFORE) as then:
        _check_as_before(then, proposed)
        _store_as_before(then, outer, seen)

    for product in (outer, seen, empty, proposed):
        product.refresh_from_db()
    assert (proposed.proposal, proposed.top_category.code) == (proposal, "Outer")
    assert (outer.proposal, outer.top_category.code, outer.top_category_source) == (READ, "Outer", "auto")
    assert (seen.proposal, seen.top_category_source) == (READ.with_chosen(None), "")
    assert empty.proposal == Proposal()
    events = AuditEvent.objects.exclude(pk__in=audited).order_by("pk")
    assert events[1].action == "product.choose_top_category"
    assert list(events.values_list("details", flat=True)) == [
        {"top_category": "Outer", "values": {"material": "denim"}},
        {"top_category": "Top"},
        {"name": "Coat", "images": 3},
        {"image": "abc", "name": "photographs"},
    ]
    assert ShadowReport.objects.get().figures == {"images": 3, "products": 2}
