"""Decisions: which of them are in effect, and recording one more with the proposal that it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.apps import apps

from accounts.actors import Actor
from accounts.channels import Channel
from catalog.known import known_of
from catalog.models import Attribute, AttributeValue, Decision, Product
from catalog.proposal import Acceptance, Candidate, ProposedValue
from catalog.selectors import Taxonomy


def decisions_of(product: Product) -> list[Decision]:
    """Return all decisions of a product in their order (a query)."""
    if (known := known_of(product)) is not None:
        return known.decisions
    return list(Decision.objects.filter(product=product).order_by("id"))


@dataclass(frozen=True)
class EffectiveDecisions:
    """A product's decisions in effect, by attribute id: those of people, keys and imports, and automatic ones."""

    people: dict[int, Decision] = field(default_factory=dict)
    automatic: dict[int, Decision] = field(default_factory=dict)

    @classmethod
    def of(cls, product: Product) -> EffectiveDecisions:
        """Read the product's decisions in their order."""
        effective = cls()
        for decision in decisions_of(product):
            effective.add(decision)
        return effective

    def add(self, decision: Decision) -> None:
        """Let one more decision take effect: it replaces the one before of the same layer, or withdraws it."""
        layer = self.automatic if decision.source == Decision.Source.AUTO else self.people
        if decision.kind == Decision.Kind.WITHDRAWN:
            layer.pop(decision.attribute_id, None)
        else:
            layer[decision.attribute_id] = decision

    @property
    def by_attribute(self) -> dict[int, Decision]:
        """The one decision that counts for each attribute id: a person's before an automatic one."""
        return self.automatic | self.people


def record_decision(
    actor: Actor,
    product: Product,
    attribute: Attribute,
    kind: Decision.Kind,
    taxonomy: Taxonomy,
    value: AttributeValue | None = None,
    *,
    source: Decision.Source = Decision.Source.HUMAN,
    as_it_stood: bool = False,
    reason: str = "",
) -> Decision:
    """Record that the actor decided, with what the decision answers.

    Args:
        actor: who decides.
        product: the locked product, with the top-level category that it has from now on.
        attribute: what is decided.
        kind: whether a value is set, or what else is said.
        taxonomy: the taxonomy.
        value: the value that is set; None for every other kind.
        source: a person or key, or an import.
        as_it_stood: whether the value was only published, or accepted among many, and nobody answered this one.
        reason: why, in the words of who decides.
    """
    fields = _answered(product, attribute, taxonomy)
    if as_it_stood:
        fields["answers"] = Decision.Answers.PUBLISHED
    return _add(
        product=product,
        attribute=attribute,
        kind=kind,
        value=value,
        source=source,
        user=actor.user,
        api_key=actor.api_key,
        impersonator=actor.impersonator,
        channel=actor.channel,
        operation=actor.operation,
        reason=reason,
        **fields,
    )


def _add(product: Product, **fields: Any) -> Decision:
    decision = Decision.objects.create(product=product, **fields)
    if (known := known_of(product)) is not None:
        known.decisions.append(decision)
    return decision


def decide_again(actor: Actor, product: Product, earlier: Decision) -> Decision:
    """Record that what was decided earlier counts again, as the same answer to the same proposal.

    A key's or an import's word does not become a person's by being put back.
    """
    return _repeat(actor, product, earlier, earlier.kind, earlier.value_id)


def take_back(actor: Actor, product: Product, decision: Decision) -> Decision:
    """Record that the decision in effect counts no more, and neither does what it answered."""
    return _repeat(actor, product, decision, Decision.Kind.WITHDRAWN, None)


def _repeat(actor: Actor, product: Product, earlier: Decision, kind: str, value_id: int | None) -> Decision:
    return _add(
        product=product,
        attribute_id=earlier.attribute_id,
        kind=kind,
        value_id=value_id,
        source=earlier.source,
        user=actor.user,
        api_key_id=earlier.api_key_id or (actor.api_key.pk if actor.api_key else None),
        impersonator=actor.impersonator,
        channel=actor.channel,
        operation=actor.operation,
        prediction_id=earlier.prediction_id,
        answers=earlier.answers,
        proposed_value_id=earlier.proposed_value_id,
        proposed_confidence=earlier.proposed_confidence,
        proposed_by_id=earlier.proposed_by_id,
    )


def record_acceptance(
    product: Product, attribute: Attribute, value: AttributeValue | None, taxonomy: Taxonomy
) -> Decision:
    """Record that a value was auto-accepted; with None, that what was auto-accepted before no longer is."""
    return _add(
        product=product,
        attribute=attribute,
        kind=Decision.Kind.SET if value else Decision.Kind.WITHDRAWN,
        value=value,
        source=Decision.Source.AUTO,
        channel=Channel.COMMAND,
        **(_auto_accepted(product, attribute, taxonomy) if value else {}),
    )


def _value(candidate: Candidate | None, attribute: Attribute) -> ProposedValue | None:
    return candidate.attributes.get(attribute.code) if candidate else None


def _versions(product: Product, *values: ProposedValue | None) -> dict[int, int]:
    """Model versions by the id of the values' predictions; those that nobody decided on may have been pruned."""
    if (known := known_of(product)) is not None:
        return known.versions
    predictions = apps.get_model("classifier", "Prediction")._default_manager
    asked = {value.prediction for value in values if value}
    found = predictions.filter(pk__in=asked).order_by().values_list("pk", "model_version_id")
    return dict(found) if asked else {}


def _proposed(
    proposed: ProposedValue, attribute: Attribute, versions: dict[int, int], taxonomy: Taxonomy
) -> dict[str, Any]:
    value = taxonomy.resolve(attribute.code, proposed.value)
    if value is None or proposed.prediction not in versions:
        return {}
    return {
        "proposed_value_id": value.pk,
        "proposed_confidence": proposed.confidence,
        "proposed_by_id": versions[proposed.prediction],
    }


def _last_automatic(product: Product, attribute: Attribute) -> Decision | None:
    source = Decision.Source.AUTO
    known = known_of(product)
    if known is None:
        automatic = Decision.objects.filter(product=product, attribute=attribute, source=source)
        return automatic.order_by("-id").first()
    of_models = [one for one in known.decisions if one.source == source and one.attribute_id == attribute.pk]
    return of_models[-1] if of_models else None


def _accepted(product: Product, attribute: Attribute) -> dict[str, Any]:
    """What was auto-accepted and still is, as an automatic decision recorded it."""
    last = _last_automatic(product, attribute)
    if last is None or last.kind != Decision.Kind.SET or not last.answers:
        return {}
    return {name: getattr(last, name) for name in ("proposed_value_id", "proposed_confidence", "proposed_by_id")}


def _answered(product: Product, attribute: Attribute, taxonomy: Taxonomy) -> dict[str, Any]:
    """The fields of a person's decision that say what it answers; {} if it answers nothing.

    `prediction_id` is of the garment that is the product now. What was proposed for the product may have been another
    garment: where the models chose the top-level category, a person who says that the product is something else
    corrects them, and the decision must count as that.
    """
    own = _value(product.candidate, attribute)
    by_models = product.proposal.chosen
    shown = _value(by_models, attribute) if by_models else own
    versions = _versions(product, own, shown)
    fields = {"prediction_id": own.prediction} if own and own.prediction in versions else {}
    if accepted := _accepted(product, attribute):
        return {**fields, **accepted, "answers": Decision.Answers.ACCEPTED}
    proposed = _proposed(shown, attribute, versions, taxonomy) if shown else {}
    if not shown or not proposed:
        return fields
    sampled = shown.acceptance == Acceptance.SAMPLE
    return {**fields, **proposed, "answers": Decision.Answers.SAMPLE if sampled else Decision.Answers.PROPOSAL}


def _auto_accepted(product: Product, attribute: Attribute, taxonomy: Taxonomy) -> dict[str, Any]:
    """The same fields of the decision that accepts the value of the product's own candidate."""
    own = _value(product.candidate, attribute)
    versions = _versions(product, own)
    proposed = _proposed(own, attribute, versions, taxonomy) if own else {}
    if own is None or not proposed:
        return {}
    return {**proposed, "prediction_id": own.prediction, "answers": Decision.Answers.ACCEPTED}
