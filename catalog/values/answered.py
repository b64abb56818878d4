"""Which proposal a decision answers, as the fields of the decision."""

from __future__ import annotations

from typing import Any

from django.apps import apps

from catalog.models import Attribute, Decision, Product
from catalog.selectors import Taxonomy

# Keys and words of the proposal's JSON: classifier.quality.thresholds marks an entry as fit to be auto-accepted, or
# as one of the sample that goes to review all the same; write_proposal marks the row that the models chose.
ACCEPTANCE, ACCEPT, SAMPLE = "acceptance", "accept", "sample"
CHOSEN = "chosen"


def proposal_row(product: Product, top_category: str | None) -> dict[str, Any] | None:
    """Return the proposal's entry for that top-level category."""
    return next((row for row in product.proposal if row["top_category"] == top_category), None)


def _entry(row: dict[str, Any] | None, attribute: Attribute) -> dict[str, Any] | None:
    entry: dict[str, Any] | None = row["attributes"].get(attribute.code) if row else None
    return entry


def _own_entry(product: Product, attribute: Attribute) -> dict[str, Any] | None:
    return _entry(proposal_row(product, product.row.code if product.row else None), attribute)


def _versions(*entries: dict[str, Any] | None) -> dict[int, int]:
    """Model versions by the id of the entries' predictions; those that nobody decided on may have been pruned."""
    predictions = apps.get_model("classifier", "Prediction")._default_manager
    asked = {entry["prediction"] for entry in entries if entry}
    return dict(predictions.filter(pk__in=asked).values_list("pk", "model_version_id")) if asked else {}


def _proposed(
    entry: dict[str, Any], attribute: Attribute, versions: dict[int, int], taxonomy: Taxonomy
) -> dict[str, Any]:
    value = taxonomy.resolve(attribute.code, entry["value"])
    if value is None or entry["prediction"] not in versions:
        return {}
    return {
        "proposed_value_id": value.pk,
        "proposed_confidence": entry["confidence"],
        "proposed_by_id": versions[entry["prediction"]],
    }


def _accepted(product: Product, attribute: Attribute) -> dict[str, Any]:
    """What was auto-accepted and still stands, as an automatic decision recorded it."""
    automatic = Decision.objects.filter(product=product, attribute=attribute, source=Decision.Source.AUTO)
    last = automatic.order_by("-id").first()
    if last is None or last.kind != Decision.Kind.SET or not last.answers:
        return {}
    return {name: getattr(last, name) for name in ("proposed_value_id", "proposed_confidence", "proposed_by_id")}


def answered_fields(product: Product, attribute: Attribute, taxonomy: Taxonomy) -> dict[str, Any]:
    """Return the fields of a person's decision on a locked product that say what it answers; {} if it answers nothing.

    `prediction_id` is of the garment that is the product now. What was proposed for the product may have been another
    garment: where the models chose the row, a person who says that the product is something else corrects them, and
    the decision must count as that.
    """
    own = _own_entry(product, attribute)
    by_models = next((row for row in product.proposal if row.get(CHOSEN)), None)
    shown = _entry(by_models, attribute) if by_models else own
    versions = _versions(own, shown)
    fields = {"prediction_id": own["prediction"]} if own and own["prediction"] in versions else {}
    if accepted := _accepted(product, attribute):
        return {**fields, **accepted, "answers": Decision.Answers.ACCEPTED}
    proposed = _proposed(shown, attribute, versions, taxonomy) if shown else {}
    if not shown or not proposed:
        return fields
    sampled = shown.get(ACCEPTANCE) == SAMPLE
    return {**fields, **proposed, "answers": Decision.Answers.SAMPLE if sampled else Decision.Answers.PROPOSAL}


def accepted_fields(product: Product, attribute: Attribute, taxonomy: Taxonomy) -> dict[str, Any]:
    """Return the same fields for the decision that accepts the chosen row's value by itself."""
    own = _own_entry(product, attribute)
    versions = _versions(own)
    proposed = _proposed(own, attribute, versions, taxonomy) if own else {}
    if own is None or not proposed:
        return {}
    return {**proposed, "prediction_id": own["prediction"], "answers": Decision.Answers.ACCEPTED}
