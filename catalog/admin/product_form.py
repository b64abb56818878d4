"""The form of a product's page: name and SKU, which garment it is, an override of each attribute, new images."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils.choices import flatten_choices
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.widgets import INPUT_CLASSES, UnfoldAdminSelectWidget

from accounts.actors import Actor
from catalog.certainty import percent
from catalog.models import CATEGORY, AttributeValue, Product, ProductAttribute
from catalog.proposal import ProposedValue
from catalog.selectors import Taxonomy, values_of
from catalog.services import (
    LEAVE_OPEN,
    NOT_APPLICABLE,
    TAKE_BACK,
    check_sku_free,
    clean_name,
    clean_sku,
    create_product,
    lock_product,
    save_review,
    update_product,
)
from catalog.services.uploads import Prepared, create_prepared
from catalog.upload_validation import accepted_types
from core.errors import Conflict, Refused

PREFIX = "value_"  # of the fields that override an attribute; the attribute's code follows

Choices = list[tuple[Any, Any]]


class ImagesInput(forms.FileInput):
    """The browser's own control for several files: it says how many were chosen."""

    allow_multiple_selected = True

    class Media:
        js = ("admin/images.js",)


class ImagesField(forms.FileField):
    """Several files, as they came: catalog.services.uploads says what is wrong with which."""

    def __init__(self) -> None:
        super().__init__(
            label=_("Photos"),
            required=False,
            help_text=_("Several at once. The models look at them as soon as they are saved."),
            widget=ImagesInput(attrs={"accept": accepted_types(), "class": " ".join(INPUT_CLASSES)}),
        )

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        """Return the uploaded files; nothing chosen is an empty list, and no error."""
        return list(data or [])

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Django takes an empty list for a file."""
        return bool(data)


class ProductForm(forms.ModelForm[Product]):
    """Name and SKU, checked as everywhere else, and new images.

    To be valid is to be stored: a service has the last word on what was typed, and what it refuses is shown on the form
    with everything else. So a form is bound within a transaction only, which is rolled back unless the form is saved.
    Each control sends along what it held at first, so that only what a person changed is ever changed.
    """

    actor: ClassVar[Actor]
    prepared: ClassVar[Prepared | None] = None  # the images of a new product, whose files are written already
    images = ImagesField()

    class Meta:
        model = Product
        fields: tuple[str, ...] = ("merchant", "name", "sku")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in {"name", "sku"} & set(self.fields):
            self._remember(name)

    def _remember(self, name: str) -> None:
        """Compare what is sent with what the person saw, not with what somebody else has saved since."""
        self.fields[name].show_hidden_initial = not self.is_bound or self.add_initial_prefix(name) in self.data

    def full_clean(self) -> None:
        """Store what is right so far, all of it or nothing.

        Browsers send chosen files once: a person who has to correct the form has to choose them again.
        """
        super().full_clean()
        if self.is_bound and not self.errors:
            try:
                with transaction.atomic():
                    self.store()
            except Refused as refused:
                self.say(refused)
        if self.is_bound and self.errors and self.files:
            self.add_error("images", _("Nothing was saved yet. Choose the photos once more."))

    def store(self) -> None:
        """Ask the service for a new product, which becomes the form's."""
        data = self.cleaned_data
        given = {"actor": self.actor, "merchant": data["merchant"], "name": data["name"], "sku": data["sku"]}
        created = create_prepared(prepared=self.prepared, **given) if self.prepared else None
        self.instance.pk = (created or create_product(**given)).pk
        self.instance.refresh_from_db()

    def say(self, refused: Refused) -> None:
        """Put a service's refusal on the form."""
        self.add_error(None, ValidationError(refused.message, code=refused.code))

    def clean(self) -> dict[str, Any]:
        """Check the SKU against the merchant's others."""
        data: dict[str, Any] = super().clean() or {}
        merchant = data["merchant"].pk if data.get("merchant") else self.instance.merchant_id
        if merchant and data.get("sku") and "sku" in self.changed_data:
            try:
                check_sku_free(merchant, data["sku"], but=self.instance.pk)
            except Refused as refused:
                self.add_error("sku", ValidationError(refused.message, code=refused.code))
        return data

    def clean_name(self) -> str:
        """Say beside the field what the service would refuse."""
        return self._checked(clean_name, self.cleaned_data["name"]) or ""

    def clean_sku(self) -> str:
        """Say beside the field what the service would refuse."""
        return self._checked(clean_sku, self.cleaned_data["sku"]) or ""

    @staticmethod
    def _checked(check: Any, text: str | None) -> str | None:
        try:
            result: str | None = check(text or "")
        except Refused as refused:
            raise ValidationError(refused.message, code=refused.code) from refused
        return result


class ReviewForm(ProductForm):
    """A product's page: which garment it is and what its values are. `for_product` adds the fields of its taxonomy."""

    taxonomy: Taxonomy
    seen_version = forms.IntegerField(widget=forms.HiddenInput)
    # Not called as the column that it chooses: Django's form would write that, and only the service may.
    garment = forms.ChoiceField(label=_("Chosen garment"), required=False, widget=UnfoldAdminSelectWidget)

    class Meta(ProductForm.Meta):
        fields = ("name", "sku")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        product = self.instance
        self.initial["seen_version"] = product.version
        self.initial["garment"] = product.top_category.code if product.top_category else ""
        _field(self, "garment").choices = self._levels(product)
        self._remember("garment")
        values = values_of(product)
        candidate = product.candidate
        for code in self.taxonomy.attributes:
            field = _field(self, PREFIX + code)
            proposed = candidate.attributes.get(code) if candidate else None
            decided = self._decided(code, values.get(code))
            field.choices = self._choices(code, values.get(code), decided, proposed)
            self.initial[PREFIX + code] = decided.code if isinstance(decided, AttributeValue) else decided
            self._remember(PREFIX + code)

    def _levels(self, product: Product) -> Choices:
        sure = {candidate.top_category: candidate.confidence for candidate in product.proposal.candidates}
        levels = [
            (value.code, _with_confidence(value, sure.get(value.code)))
            for value in self.taxonomy.values[CATEGORY].values()
            if value.active and value.parent_id is None and value.merged_into_id is None
        ]
        chosen = product.top_category
        if chosen is None:
            return [("", _("open")), *levels]
        return levels if chosen.code in dict(levels) else [_former(chosen), *levels]

    def _decided(self, code: str, value: ProductAttribute | None) -> AttributeValue | str:
        """What a person decided is selected in the control; what a model says is shown beside "undecided"."""
        if value is None or value.decision_id is None or value.state == ProductAttribute.State.AUTO:
            return LEAVE_OPEN
        if value.value is not None:
            return self.taxonomy.today(code, value.value.code) or value.value
        return NOT_APPLICABLE if value.state == ProductAttribute.State.NOT_APPLICABLE else LEAVE_OPEN

    def _choices(
        self,
        code: str,
        value: ProductAttribute | None,
        decided: AttributeValue | str,
        proposed: ProposedValue | None,
    ) -> Choices:
        """What the model says first, with its confidence; then everything else, by top-level category."""
        offered = proposed.options if proposed else ()
        leaves = {leaf.code: leaf for leaf in self.taxonomy.leaves(code)}
        first = {
            option.value: _with_confidence(leaves[option.value], option.confidence)
            for option in offered
            if option.value in leaves
        }
        choices: Choices = [(LEAVE_OPEN, _undecided(value))]
        if isinstance(decided, AttributeValue) and decided.code not in leaves:
            choices.append(_former(decided))
        if first:
            choices.append((_("Proposed"), list(first.items())))
        choices.extend(_grouped(leaf for leaf in leaves.values() if leaf.code not in first))
        if code != CATEGORY:
            choices.append((NOT_APPLICABLE, ProductAttribute.State.NOT_APPLICABLE.label))
        return choices

    def store(self) -> None:
        """Ask the services, against the version that was seen: the review first.

        Raises:
            Refused: what a service says; `stale` if somebody else changed the product meanwhile.
        """
        product, data = self.instance, self.cleaned_data
        if lock_product(product.pk).version != data["seen_version"] and not self.only_adds:
            raise _stale(product)
        if self.is_reviewed:
            save_review(actor=self.actor, product=product, **self.review)
        named = {name: data[name] for name in ("name", "sku") if name in self.changed_data}
        if named:
            update_product(actor=self.actor, product=product, **named)

    def say(self, refused: Refused) -> None:
        """Where somebody else was faster, say beside each field that both changed what it says now."""
        if refused.code == "stale":
            for name in set(self.changed_data) - {"seen_version", "images"}:
                now = self.initial[name] or ""
                if now != self.data.get(self.add_initial_prefix(name), ""):
                    self.add_error(name, _("It says now: %(value)s") % {"value": self._shown(name, now)})
        super().say(refused)

    def _shown(self, name: str, value: str) -> str:
        choices = getattr(self.fields[name], "choices", ())
        return str(dict(flatten_choices(choices)).get(value, value or "–"))

    @property
    def only_adds(self) -> bool:
        """Whether nothing was changed: there are new images, whatever the product says meanwhile."""
        return set(self.changed_data) - {"seen_version"} == {"images"}

    @property
    def is_reviewed(self) -> bool:
        """Whether the garment or a value was changed, beside whatever else."""
        return any(name == "garment" or name.startswith(PREFIX) for name in self.changed_data)

    @property
    def review(self) -> dict[str, Any]:
        """What catalog.services.save_review takes: the garment and the values that were changed.

        A person who goes back to "undecided" takes a decision back.
        """
        data = self.cleaned_data
        changed = [code for code in self.taxonomy.attributes if PREFIX + code in self.changed_data]
        return {
            "top_category": data["garment"] if "garment" in self.changed_data else None,
            "values": {code: data[PREFIX + code] or TAKE_BACK for code in changed},
            "version": data["seen_version"],
        }


def for_product(taxonomy: Taxonomy) -> type[ReviewForm]:
    """Return the form class with one field for each attribute of the taxonomy."""
    fields: dict[str, Any] = {
        PREFIX + code: forms.ChoiceField(label=attribute.name, required=False, widget=UnfoldAdminSelectWidget)
        for code, attribute in taxonomy.attributes.items()
    }
    return type("ProductReviewForm", (ReviewForm,), {"taxonomy": taxonomy, **fields})


def _stale(product: Product) -> Conflict:
    """Refuse whatever was typed over a page that is no longer true, until it is loaded again."""
    return Conflict(
        "stale",
        format_html(
            '{} <a href="{}" class="underline">{}</a>',
            _("This product was changed in the meantime, so nothing was saved."),
            reverse("admin:catalog_product_change", args=[product.pk]),
            _("Load the page again"),
        ),
    )


def _field(form: forms.BaseForm, name: str) -> forms.ChoiceField:
    field = form.fields[name]
    assert isinstance(field, forms.ChoiceField)
    return field


def _former(value: AttributeValue) -> tuple[str, str]:
    """A choice that was made before its value was switched off."""
    return value.code, _("%(value)s (no longer offered)") % {"value": value}


def _undecided(value: ProductAttribute | None) -> str:
    if value is None or value.state == ProductAttribute.State.UNSET:
        return str(_("open"))
    if value.state == ProductAttribute.State.DECIDED or (value.decision_id and not value.value):
        return str(_("take the decision back"))
    if value.value is None:
        return value.get_state_display()
    return f"{value.get_state_display()}: {_with_confidence(value.value, value.confidence)}"


def _with_confidence(value: AttributeValue, confidence: float | None) -> str:
    return f"{value} {percent(confidence)}".strip()


def _grouped(leaves: Iterable[AttributeValue]) -> Choices:
    groups: dict[str, Choices] = {}
    flat: Choices = []
    for leaf in leaves:
        target = groups.setdefault(str(leaf.parent), []) if leaf.parent else flat
        target.append((leaf.code, str(leaf)))
    return [*groups.items(), *flat]
