"""The fields of a product's page: what holds of each attribute, what the models say, and what else may be chosen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from catalog.also_called import also_called
from catalog.certainty import is_doubtful
from catalog.models import CATEGORY, Attribute, AttributeValue, Decision, Product, ProductAttribute, ProductImage
from catalog.naming import Named, named_values
from catalog.proposal import Candidate, ReasonCode
from catalog.selectors import Taxonomy, values_of
from catalog.services import LEAVE_OPEN, NO_GARMENT, NOT_APPLICABLE

_MOST_ALTERNATIVES = 3
_LEAST_ALTERNATIVE = 0.05


@dataclass(frozen=True)
class Option:
    """A value to choose; with a confidence where a model suggests it. `named`: the name mentions it."""

    value: AttributeValue
    confidence: float | None = None
    named: bool = False

    @property
    def words(self) -> str:
        """What people may type to find it, whatever the language of the page: names and aliases."""
        also = also_called(self.value.attribute.code, self.value.code)
        return "|".join(dict.fromkeys((self.value.name_ko, self.value.name_en, *self.value.aliases, *also)))


@dataclass(frozen=True)
class Group:
    """Values under one heading of a list; an empty label where there is but one group."""

    label: str
    options: list[Option]


@dataclass(frozen=True)
class Vote:
    """In how many images the models took the garment for that value."""

    value: AttributeValue
    images: int


@dataclass(frozen=True)
class Field:
    """One attribute of the product: what holds now, what the model says, and what else may be chosen.

    `today` is what the current value is called today. `shown` is what the control selects at first, `selected` what a
    person has chosen in place of it. `former` is a decided value that can be chosen no more. `said` is whether a person
    or a key stands for what is shown. `named`: what the product's name mentions, where nobody has decided.
    """

    attribute: Attribute
    current: ProductAttribute | None
    today: AttributeValue | None
    shown: str
    selected: str
    former: AttributeValue | None
    said: bool
    applies: bool
    applies_to: str
    suggestions: list[Option]
    votes: list[Vote]
    groups: list[Group]
    model: str
    named: Named | None

    @property
    def suggestion(self) -> Option | None:
        """What the model puts first."""
        return self.suggestions[0] if self.suggestions else None

    @property
    def chips(self) -> list[Option]:
        """What gets a button of its own: the model's own value, and the likeliest others."""
        others = [option for option in self.suggestions[1:] if (option.confidence or 0) >= _LEAST_ALTERNATIVE]
        return self.with_named([*self.suggestions[:1], *others[:_MOST_ALTERNATIVES]])

    def with_named(self, options: Sequence[Option]) -> list[Option]:
        """The options, with a note at the one that the product's name mentions; it is added where it is missing."""
        if self.named is None:
            return list(options)
        code = self.named.value.code
        known = next((option for option in self.suggestions if option.value.code == code), Option(self.named.value))
        others = [replace(one, named=True) if one.value.code == code else one for one in options]
        return others if any(one.named for one in others) else [*others, replace(known, named=True)]

    @property
    def name_agrees(self) -> bool:
        """Whether the product's name mentions what the model puts first."""
        return self.named is not None and self.suggestion is not None and self.named.value == self.suggestion.value

    @property
    def doubtful(self) -> str:
        """The code of the value that is shown though the model is unsure of it and nobody has confirmed it; else ''."""
        unsure = self.suggestion is not None and not self.said and is_doubtful(self.suggestion.confidence)
        automatic = self.current is not None and self.current.state == ProductAttribute.State.AUTO
        shown = self.suggestion is not None and self.suggestion.value.code == self.shown
        return self.shown if unsure and shown and not automatic else ""

    @property
    def is_suggested(self) -> bool:
        """Whether what the model puts first is selected."""
        return self.suggestion is not None and self.suggestion.value.code == self.selected

    @property
    def model_differs(self) -> bool:
        """Whether a person decided otherwise than the model says."""
        if self.suggestion is None or self.current is None or self.current.decision is None:
            return False
        return self.today != self.suggestion.value

    @property
    def may_not_apply(self) -> bool:
        """Whether "not applicable" is an answer; every product has a category."""
        return self.attribute.code != CATEGORY


def _is_named(candidate: Candidate | None, product: Product) -> bool:
    """Whether what the name mentions is this garment's: not where it is of another one, or of which is still open."""
    if candidate is None:
        return not product.proposal.candidates
    return all(reason.code != ReasonCode.NAME_DIFFERS for reason in candidate.reasons)


def suggestions_of(candidate: Candidate | None, attribute: str, taxonomy: Taxonomy) -> list[Option]:
    """Return the values that the models suggest for a candidate's attribute, the most probable first."""
    proposed = candidate.attributes.get(attribute) if candidate else None
    if proposed is None:
        return []
    options: dict[int, Option] = {}
    for option in proposed.options:
        value = taxonomy.resolve(attribute, option.value)
        if value is not None and value.pk not in options:
            options[value.pk] = Option(value, option.confidence)
    return list(options.values())


def groups_of(attribute: str, suggested: set[int], taxonomy: Taxonomy) -> list[Group]:
    """Return the values that the model does not suggest, under their top-level category where they have one."""
    groups: dict[str, list[Option]] = {}
    for value in taxonomy.leaves(attribute):
        if value.pk not in suggested:
            groups.setdefault(value.parent.name if value.parent else "", []).append(Option(value))
    return [Group(label, options) for label, options in groups.items()]


def _votes(
    candidate: Candidate | None, attribute: str, images: Iterable[ProductImage], taxonomy: Taxonomy
) -> list[Vote]:
    """How many images say which value of the candidate; of one with two such garments the better one counts."""
    if candidate is None:
        return []
    places = {garment: place for place, garment in enumerate(candidate.garments)}
    counted: Counter[AttributeValue] = Counter()
    for image in images:
        known = [garment for garment in image.shown_garments if garment.pk in places]
        garments = sorted(known, key=lambda garment: places[garment.pk])
        said = (
            taxonomy.resolve(attribute, prediction.value.code)
            for garment in garments[:1]
            for prediction in garment.predictions.all()
            if prediction.attribute.code == attribute and attribute not in (garment.hidden or ())
        )
        counted.update(value for value in said if value is not None)
    return [Vote(value, count) for value, count in counted.most_common()]


def _is_by_person(current: ProductAttribute | None) -> bool:
    return current is not None and current.decision is not None and current.decision.source != Decision.Source.AUTO


def _shown(
    current: ProductAttribute | None,
    today: AttributeValue | None,
    suggestions: list[Option],
    *,
    said: bool,
    other: bool,
) -> str:
    if other and not said:
        return suggestions[0].value.code if suggestions else LEAVE_OPEN
    if current is None:
        return LEAVE_OPEN
    by_person = _is_by_person(current)
    if today is not None and (by_person or today.active):
        return today.code
    return NOT_APPLICABLE if by_person and current.state == ProductAttribute.State.NOT_APPLICABLE else LEAVE_OPEN


def chosen_garment(product: Product) -> str | None:
    """Return which garment the product is, by its top-level category's code.

    `NO_GARMENT` where a person said that it is none of those found, None where nobody chose.
    """
    if product.top_category is not None:
        return product.top_category.code
    return NO_GARMENT if product.is_none_of_the_garments else None


def fields_of(
    product: Product,
    images: Iterable[ProductImage],
    taxonomy: Taxonomy,
    garment: str | None,
    wanted: Mapping[str, str] | None = None,
) -> list[Field]:
    """Return the attributes' fields as they look with that garment chosen.

    Args:
        product: with its current values prefetched.
        images: its images, with what was found in them prefetched.
        taxonomy: the taxonomy.
        garment: the one that the page shows, as `chosen_garment` says it; another than the product's is a look ahead.
        wanted: what the person has chosen but not saved, by attribute code; it stays selected.
    """
    values = values_of(product)
    top_category = taxonomy.resolve(CATEGORY, garment) if garment else None
    candidate = product.proposal.candidate(garment)
    other = garment != chosen_garment(product)
    names = named_values(product.name, taxonomy) if _is_named(candidate, product) else {}
    fields = []
    for code, attribute in taxonomy.attributes.items():
        suggestions = suggestions_of(candidate, code, taxonomy)
        proposed = candidate.attributes.get(code) if candidate else None
        current = values.get(code)
        today = (taxonomy.today(code, current.value.code) or current.value) if current and current.value else None
        said = _is_by_person(current) and not (other and code == CATEGORY)
        shown = _shown(current, today, suggestions, said=said, other=other)
        offered = {value.pk for value in taxonomy.leaves(code)}
        levels = taxonomy.applies_to[code]
        fields.append(
            Field(
                attribute=attribute,
                current=current,
                today=today,
                shown=shown,
                selected=(wanted or {}).get(code, shown),
                former=today if today and today.pk not in offered and today.code == shown else None,
                said=said,
                applies=taxonomy.applies(code, top_category),
                applies_to=" ".join(value.code for value in taxonomy.values[CATEGORY].values() if value.pk in levels),
                suggestions=suggestions,
                votes=_votes(candidate, code, images, taxonomy),
                groups=groups_of(code, {option.value.pk for option in suggestions}, taxonomy),
                model=proposed.model if proposed else "",
                named=None if said else names.get(code),
            )
        )
    return fields
