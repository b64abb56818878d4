"""No opinion of a model, nothing of a merchant that has not agreed and no names leave as a data set."""

import pytest
from django.core.management import CommandError
from django.urls import reverse

from accounts.actors import Actor, system
from accounts.channels import Channel
from accounts.models import AuditEvent, Merchant
from catalog import services as catalog
from catalog.models import Decision
from classifier import exports
from classifier.exports import Selection, export_dataset
from classifier.models import ModelVersion
from core.errors import Forbidden
from tests.support.exported_datasets import export_to, labels
from tests.support.written_thresholds import allow

pytestmark = pytest.mark.django_db


def test_it_names_nobody(classified, merchant, alice, bob, actor_of, tmp_path):
    for person, color in ((alice, "red"), (bob, "green"), (alice, "blue")):
        product = classified(merchant, color)
        catalog.decide(actor=actor_of(person), product=product, attribute="category", value="Jacket")

    export_to(tmp_path / "out")
    export_to(tmp_path / "again")

    by = [row["category_by"] for row in labels(tmp_path / "out")]
    assert by[0] == by[2] != by[1]
    assert by == [row["category_by"] for row in labels(tmp_path / "again")]
    text = (tmp_path / "out" / "labels.csv").read_text()
    assert not any(word in text for word in ("alice", "bob", "example.com", "red.jpg"))


def test_it_exports_no_opinion_of_a_model_or_a_program(classified, merchant, api_key, actor, tmp_path):
    undecided, accepted, by_key, by_command, imported, taken_back = (
        classified(merchant, color) for color in ("red", "green", "blue", "orange", "pink", "olive")
    )
    catalog.decide(actor=system(), product=accepted, attribute="category", value="Jacket", source=Decision.Source.AUTO)
    key = Actor(channel=Channel.API, api_key=api_key[0], merchant=merchant)
    catalog.decide(actor=key, product=by_key, attribute="category", value="Jacket")
    catalog.decide(actor=system(), product=by_command, attribute="category", value="Jacket")
    catalog.decide(actor=actor, product=imported, attribute="category", value="Jacket", source=Decision.Source.IMPORT)
    catalog.decide(actor=actor, product=taken_back, attribute="category", value="Jacket")
    catalog.withdraw(actor=actor, product=taken_back, attribute="category")

    with pytest.raises(CommandError, match="nobody decided anything that matches"):
        export_to(tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert not AuditEvent.objects.filter(action="merchant.export_dataset").exists()
    assert undecided.proposal.candidates


def test_what_was_accepted_by_itself_stays_a_models_opinion_when_it_is_published(
    classified, merchant, actor, settings, tmp_path
):
    settings.OTJANG_SAMPLE_SHARE = 0.0
    classified(merchant, "red")  # the models have versions from now on
    for code, threshold in (("category", 0.75), ("material", 0.99)):
        row = allow(code, threshold)
        row.model_version = ModelVersion.objects.exclude(pk=row.model_version_id).get(role=code)
        row.scope = row.scope_of(None, row.attribute_id, None, row.model_version_id)
        row.save()
    kept, corrected = classified(merchant, "green"), classified(merchant, "blue")
    catalog.decide(actor=actor, product=corrected, attribute="category", value="Jumper")
    for product in (kept, corrected):
        catalog.publish(actor=actor, product=product)

    export_to(tmp_path / "out")

    found = {row["product"]: (row["category"], row["material"]) for row in labels(tmp_path / "out")}
    assert found == {corrected.public_id: ("Jumper", "")}


def test_what_a_bulk_publish_decided_is_nobody_s_opinion(classified, admin, client_of, tmp_path, merchant):
    products = [classified(merchant, color) for color in ("red", "green")]
    client_of(admin).post(
        reverse("admin:catalog_product_changelist"),
        {"action": "publish_selected", "_selected_action": [product.pk for product in products]},
    )
    assert Decision.objects.filter(user=admin, answers="published").count() == 6

    with pytest.raises(CommandError, match="nobody decided anything that matches"):
        export_to(tmp_path / "out")


def test_it_leaves_out_merchants_that_refuse(classified, merchant, other_merchant, charlie, actor_of, actor, tmp_path):
    catalog.decide(actor=actor, product=classified(merchant), attribute="category", value="Jacket")
    theirs = classified(other_merchant, "green")
    catalog.decide(actor=actor_of(charlie), product=theirs, attribute="category", value="Jacket")
    Merchant.objects.filter(pk=other_merchant.pk).update(images_for_training=False)

    said = export_to(tmp_path / "out")
    with pytest.raises(CommandError, match=r"These have not agreed: Charlie's merchant.*“photos may train models”"):
        export_to(tmp_path / "asked", merchant=[other_merchant.public_id])

    assert {row["merchant"] for row in labels(tmp_path / "out")} == {merchant.public_id}
    assert len(list((tmp_path / "out" / "images").iterdir())) == 1
    assert not (tmp_path / "asked").exists()
    assert "merchants that have not agreed: Charlie's merchant" in said
    events = AuditEvent.objects.filter(action="merchant.export_dataset")
    assert [event.merchant for event in events] == [merchant]


def test_a_merchant_that_refuses_while_it_runs_is_left_out_from_then_on(
    classified, merchant, actor, tmp_path, monkeypatch
):
    for color in ("red", "green"):
        catalog.decide(actor=actor, product=classified(merchant, color), attribute="category", value="Jumper")
    monkeypatch.setattr(exports, "PRODUCTS_AT_A_TIME", 1)

    def refuse(_done, _total, _rejected):
        Merchant.objects.update(images_for_training=False)

    export_dataset(actor=system(), folder=tmp_path / "out", selection=Selection(), val_share=0.2, progress=refuse)

    assert len(list((tmp_path / "out" / "images").iterdir())) == 1


def test_an_administrator_switches_it_for_a_merchant(admin, client_of, merchant):
    client, page = client_of(admin), reverse("admin:accounts_merchant_change", args=[merchant.pk])
    assert "images_for_training" in client.get(page).content.decode()
    empty = {
        f"{prefix}-{field}": value
        for prefix in ("memberships", "invitations", "api_keys")
        for field, value in (("TOTAL_FORMS", 0), ("INITIAL_FORMS", 0))
    }

    response = client.post(page, {"name": merchant.name, "is_active": "on", **empty})

    assert response.status_code == 302
    merchant.refresh_from_db()
    assert not merchant.images_for_training
    assert AuditEvent.objects.filter(action="merchant.change", merchant=merchant).exists()


def test_members_of_a_merchant_cannot_export(actor, tmp_path):
    with pytest.raises(Forbidden):
        export_dataset(actor=actor, folder=tmp_path / "out", selection=Selection(), val_share=0.2)

    assert not (tmp_path / "out").exists()
    assert not AuditEvent.objects.filter(action="merchant.export_dataset").exists()
