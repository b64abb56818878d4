"""What others did of a merchant lately, as sentences, from the audit trail."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.audit_labels import action_label
from accounts.channels import Channel
from accounts.models import AuditEvent, Merchant, User
from catalog.models import Product

_EVENTS = 300  # the newest of the merchant, among which are the person's own
_LINES = 10
_TOGETHER = timedelta(hours=1)
_CHANNELS_OF_PEOPLE = (Channel.PORTAL, Channel.ADMIN)

# What is said of one product, and of several. Other events are named by their labels.
_SENTENCES: Mapping[str, tuple[Promise, Promise]] = {
    "image.add": (
        gettext_lazy("{who} added photos to {product}"),
        gettext_lazy("{who} added photos to {count} products"),
    ),
    "product.archive": (gettext_lazy("{who} archived {product}"), gettext_lazy("{who} archived {count} products")),
    "product.create": (gettext_lazy("{who} registered {product}"), gettext_lazy("{who} registered {count} products")),
    "product.delete": (
        gettext_lazy("{who} deleted {product} for good"),
        gettext_lazy("{who} deleted {count} products for good"),
    ),
    "product.publish": (gettext_lazy("{who} published {product}"), gettext_lazy("{who} published {count} products")),
    "product.restore": (
        gettext_lazy("{who} brought {product} back"),
        gettext_lazy("{who} brought {count} products back"),
    ),
    "product.review": (gettext_lazy("{who} reviewed {product}"), gettext_lazy("{who} reviewed {count} products")),
    "product.unpublish": (
        gettext_lazy("{who} unpublished {product}"),
        gettext_lazy("{who} unpublished {count} products"),
    ),
    "product.update": (
        gettext_lazy("{who} renamed {product}"),
        gettext_lazy("{who} renamed {count} products"),
    ),
}


@dataclass
class _Group:
    """What one person or key did in a row."""

    who: str
    action: str
    until: datetime  # the newest of it
    since: datetime
    subjects: list[str] = field(default_factory=list)  # public ids of products


@dataclass(frozen=True)
class Line:
    """One sentence, and when the last of it happened."""

    at: datetime
    sentence: SafeString


def lately(merchant: Merchant, but: User | None) -> list[Line]:
    """Return what others than one person did last, newest first; two queries."""
    newest = (
        AuditEvent.objects.filter(merchant=merchant)
        .select_related("user", "api_key", "impersonator")
        .defer("details")
        .order_by("-id")[:_EVENTS]
    )
    groups = _grouped(event for event in newest if but is None or event.user_id != but.pk)[:_LINES]
    singles = {group.subjects[0] for group in groups if len(group.subjects) == 1}
    products = {product.public_id: product for product in _named(singles)} if singles else {}
    return [Line(group.until, _sentence(group, products)) for group in groups]


def _named(numbers: Iterable[str]) -> Iterable[Product]:
    return Product.objects.filter(public_id__in=list(numbers)).only("pk", "public_id", "name", "sku")


def _who(event: AuditEvent) -> str:
    """Name who did it; '' for the system, whose work is not news."""
    if event.user is not None or event.api_key is not None:
        return event.author
    return _("somebody") if event.channel in _CHANNELS_OF_PEOPLE else ""


def _grouped(events: Iterable[AuditEvent]) -> list[_Group]:
    """Put together what one person did to several products in a row; events come newest first."""
    groups: list[_Group] = []
    open_groups: dict[tuple[str, str], _Group] = {}
    for event in events:
        who = _who(event)
        if not who:
            continue
        group = open_groups.get((who, event.action))
        if group is None or group.since - event.created_at > _TOGETHER:
            group = _Group(who, event.action, event.created_at, event.created_at)
            open_groups[who, event.action] = group
            groups.append(group)
        group.since = event.created_at
        if event.subject_type == "product" and event.subject_id not in group.subjects:
            group.subjects.append(event.subject_id)
    return [group for group in groups if not _goes_without_saying(group, groups)]


def _goes_without_saying(group: _Group, groups: Iterable[_Group]) -> bool:
    """Whether these are the images of products that the same person registered meanwhile."""
    return group.action == "image.add" and any(
        other.action == "product.create" and other.who == group.who and set(group.subjects) <= set(other.subjects)
        for other in groups
    )


def _sentence(group: _Group, products: Mapping[str, Product]) -> SafeString:
    one, many = _SENTENCES.get(group.action, (None, None))
    if one is None or many is None or not group.subjects:
        text = format_html("{}: {}", group.who, action_label(group.action))
        product = products.get(group.subjects[0]) if len(group.subjects) == 1 else None
        return format_html("{} · {}", text, _link(product)) if product is not None else text
    if len(group.subjects) > 1:
        return format_html(str(many), who=group.who, count=len(group.subjects))
    product = products.get(group.subjects[0])
    return format_html(str(one), who=group.who, product=_("a product") if product is None else _link(product))


def _link(product: Product) -> SafeString:
    return format_html('<a href="{}">{}</a>', reverse("catalog:product", args=[product.public_id]), product)
