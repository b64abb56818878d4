"""The one shape in which the API and webhooks show a value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from accounts.channels import Channel
from catalog.models import AttributeValue, Decision, ProductAttribute

# Who says a value. What a service decides by its key is not a person's word.
HUMAN: Final = "human"
API_KEY: Final = "api_key"
MODEL: Final = "model"
AUTO: Final = "auto"
IMPORT: Final = "import"
SOURCES = (HUMAN, API_KEY, MODEL, AUTO, IMPORT)


def source_of(decision: Decision) -> str:
    """Return who decided: a person, a key, an import, or nobody, where it was auto-accepted."""
    if decision.source != Decision.Source.HUMAN:
        return str(decision.source)
    by_key = decision.api_key_id is not None or (decision.channel == Channel.API and decision.user_id is None)
    return API_KEY if by_key else HUMAN


@dataclass(frozen=True, slots=True)
class ShownValue:
    """A value as every part of the API shows it.

    `confidence` and `model` are those of the model that says it; both are None once somebody has decided.
    """

    label: AttributeValue | None
    state: str
    value: str | None = None
    source: str | None = None
    channel: str | None = None
    confidence: float | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None
    model: str | None = None

    @classmethod
    def of_current(cls, current: ProductAttribute) -> ShownValue:
        """Return what holds for a product now; without a query on rows of `catalog.selectors`."""
        value, decision = current.value, current.decision
        state = ProductAttribute.State
        model, source = None, None
        if current.state in {state.PROPOSED, state.AUTO}:
            model = _model_of(current)
            source = MODEL if current.state == state.PROPOSED else AUTO
        elif decision is not None:
            source = source_of(decision)
        return cls(
            label=value,
            value=value.code if value is not None else None,
            state=str(current.state),
            source=source,
            channel=str(decision.channel) if decision is not None else None,
            confidence=current.confidence,
            decided_by=decision.actor_name if decision is not None else None,
            decided_at=decision.created_at if decision is not None else None,
            model=model,
        )

    @classmethod
    def of_decision(cls, decision: Decision) -> ShownValue:
        """Return what was decided once; confidence and model are those of what was auto-accepted."""
        value = decision.value
        automatic = decision.source == Decision.Source.AUTO
        state = ProductAttribute.State.UNSET
        if decision.kind == Decision.Kind.SET:
            state = ProductAttribute.State.AUTO if automatic else ProductAttribute.State.DECIDED
        elif decision.kind == Decision.Kind.NOT_APPLICABLE:
            state = ProductAttribute.State.NOT_APPLICABLE
        by = decision.proposed_by
        return cls(
            label=value,
            value=value.code if value is not None else None,
            state=str(state),
            source=source_of(decision),
            channel=str(decision.channel),
            confidence=decision.proposed_confidence if automatic else None,
            decided_by=decision.actor_name,
            decided_at=decision.created_at,
            model=by.name if automatic and by is not None else None,
        )

    @classmethod
    def of_model(cls, value: str, label: AttributeValue | None, confidence: float, model: str) -> ShownValue:
        """Return what a model says: of a garment of an image, or of the product over all of its images."""
        return cls(
            label=label,
            value=value,
            state=str(ProductAttribute.State.PROPOSED),
            source=MODEL,
            confidence=confidence,
            model=model,
        )


def _model_of(current: ProductAttribute) -> str | None:
    decision = current.decision
    if decision is not None and decision.proposed_by is not None:
        return decision.proposed_by.name
    candidate = current.product.candidate
    proposed = candidate.attributes.get(current.attribute.code) if candidate is not None else None
    return proposed.model if proposed is not None else None
