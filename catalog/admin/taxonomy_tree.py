"""The taxonomy as a tree: put in order by dragging, by keys or by buttons; retired, merged, and told what follows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.admin.base import admin_actor
from catalog.models import Attribute, AttributeValue
from catalog.services import taxonomy_changes as changes
from core.admin.base import BaseAdmin
from core.errors import Forbidden, Refused


@dataclass
class Node:
    """A value with those below it; `others` are merged into it, `count` products (MOST_COUNTED + 1 at most) have it."""

    value: AttributeValue
    count: int
    children: list[Node] = field(default_factory=list)
    others: list[AttributeValue] = field(default_factory=list)

    @property
    def uses(self) -> str:
        """How many products have it, for people."""
        return f"{changes.MOST_COUNTED:,}+" if self.count > changes.MOST_COUNTED else f"{self.count:,}"


@dataclass
class Branch:
    """An attribute with its values."""

    attribute: Attribute
    nodes: list[Node]


def branches() -> list[Branch]:
    """The whole taxonomy, in order; three queries."""
    attributes = list(Attribute.objects.order_by("position", "pk"))
    values = list(AttributeValue.objects.order_by("position", "pk").select_related("merged_into", "attribute"))
    counts = changes.use_counts(values)
    nodes = {value.pk: Node(value, counts[value.pk]) for value in values}
    tops: dict[int, list[Node]] = {attribute.pk: [] for attribute in attributes}
    for value in values:
        if value.merged_into_id is not None:
            nodes[value.merged_into_id].others.append(value)
        elif value.parent_id is not None:
            nodes[value.parent_id].children.append(nodes[value.pk])
        else:
            tops[value.attribute_id].append(nodes[value.pk])
    return [Branch(attribute, tops[attribute.pk]) for attribute in attributes]


class TaxonomyTree:
    """The tree's pages, for the admin page of values that they hang on."""

    def __init__(self, page: BaseAdmin[AttributeValue]) -> None:
        self.page = page

    def urls(self) -> list[URLPattern]:
        """Their addresses."""
        views: list[tuple[str, str, Callable[..., HttpResponse]]] = [
            ("tree/", "tree", self.tree),
            ("tree/order/", "order", require_POST(self.order)),
            ("guide/", "guide", self.guide),
            ("<path:object_id>/offer/", "offer", require_POST(self.offer)),
            ("<path:object_id>/merge/", "merge", self.merge),
            ("<path:object_id>/separate/", "separate", require_POST(self.separate)),
        ]
        wrap = self.page.admin_site.admin_view
        return [path(address, wrap(view), name=f"catalog_attributevalue_{name}") for address, name, view in views]

    def _shown(self, request: HttpRequest, template: str, title: str, **context: Any) -> HttpResponse:
        if not self.page.has_view_permission(request):
            raise PermissionDenied
        shared = {**self.page.admin_site.each_context(request), "title": title, "opts": self.page.opts}
        may = self.page.has_change_permission(request)
        return TemplateResponse(request, f"admin/catalog/taxonomy/{template}", {**shared, "may_change": may, **context})

    def _back(self, value: AttributeValue | None = None) -> HttpResponse:
        anchor = f"#value-{value.pk}" if value else ""
        return redirect(f"{reverse('admin:catalog_attributevalue_tree')}{anchor}")

    def _done(self, request: HttpRequest, change: Callable[[], None], said: str) -> bool:
        """Make a change and say so; say instead why it was refused."""
        try:
            change()
        except Forbidden as refused:
            raise PermissionDenied from refused
        except Refused as refused:
            messages.error(request, refused.message)
            return False
        messages.success(request, said)
        return True

    def tree(self, request: HttpRequest) -> HttpResponse:
        """The tree."""
        return self._shown(request, "tree.html", _("Taxonomy"), branches=branches())

    def guide(self, request: HttpRequest) -> HttpResponse:
        """How to add a value or an attribute, step by step."""
        attributes = Attribute.objects.filter(active=True).order_by("position", "pk")
        return self._shown(request, "guide.html", _("Adding to the taxonomy"), attributes=attributes)

    def order(self, request: HttpRequest) -> HttpResponse:
        """Store an order: of a script's list, or one place up or down for who has no scripts."""
        actor = admin_actor(request)
        attribute = Attribute.objects.filter(pk=_number(request, "attribute")).first()
        parent = AttributeValue.objects.filter(pk=_number(request, "parent")).first()
        if attribute is None:
            now = list(Attribute.objects.order_by("position", "pk").values_list("pk", flat=True))
        else:
            now = list(changes.siblings(attribute, parent).values_list("pk", flat=True))
        ids = _moved(request.POST.get("move", ""), now) or [_read(text) for text in request.POST.getlist("id")]
        try:
            if attribute is None:
                changes.order_attributes(actor=actor, ids=ids)
            else:
                changes.order_values(actor=actor, attribute=attribute, parent=parent, ids=ids)
        except Refused as refused:
            if "move" not in request.POST:
                status = 403 if isinstance(refused, Forbidden) else 409
                return JsonResponse({"code": refused.code, "message": refused.message}, status=status)
            messages.error(request, refused.message)
        if "move" not in request.POST:
            return HttpResponse(status=204)
        return self._back(AttributeValue.objects.filter(pk=ids[0]).first() if attribute else None)

    def offer(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Retire a value, or offer it again."""
        value = self._value(object_id)
        offered = request.POST.get("offered") == "1"
        said = (
            _("“%(value)s” can be chosen and is proposed again.")
            if offered
            else _(
                "“%(value)s” is retired: nobody can choose it, and it is not proposed. Products that have it keep it."
            )
        )
        actor = admin_actor(request)
        self._done(
            request,
            lambda: changes.set_offered(actor=actor, value=value, offered=offered),
            said % {"value": value},
        )
        return self._back(value)

    def merge(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Choose a target, look at what would change, and confirm."""
        if not self.page.has_change_permission(request):
            raise PermissionDenied
        value = self._value(object_id)
        targets = changes.targets_of(value)
        given = request.POST if request.method == "POST" else request.GET
        target = next((one for one in targets if str(one.pk) == given.get("into")), None)
        preview, refusal = None, ""
        if given.get("into") and target is None:
            refusal = _("Choose another value of the same attribute.")
        elif target is not None:
            try:
                preview = changes.preview_merge(value, target)
            except Refused as refused:
                refusal = refused.message
        if request.method == "POST" and target is not None and not refusal:
            chosen, actor = target, admin_actor(request)
            said = _("“%(value)s” is “%(target)s” from now on, wherever products are shown.")
            names = {"value": value, "target": target}
            self._done(request, lambda: changes.merge(actor=actor, value=value, target=chosen), said % names)
            return self._back(target)
        return self._shown(
            request,
            "merge.html",
            str(format_lazy(_("Merge “{}”"), value)),
            original=value,
            targets=targets,
            target=target,
            preview=preview,
            refusal=refusal,
            has_children=value.children.exists(),
        )

    def separate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Take a merge back."""
        value, actor = self._value(object_id), admin_actor(request)
        said = _("“%(value)s” means itself again.") % {"value": value}
        self._done(request, lambda: changes.separate(actor=actor, value=value), said)
        return self._back(value)

    def _value(self, object_id: str) -> AttributeValue:
        if not object_id.isascii() or not object_id.isdecimal():
            raise Http404
        return get_object_or_404(AttributeValue.objects.select_related("attribute", "parent"), pk=object_id)


def _number(request: HttpRequest, name: str) -> int:
    """A posted number; 0 for none."""
    return _read(request.POST.get(name, ""))


def _read(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else 0


def _moved(move: str, now: list[int]) -> list[int]:
    """The order after `ID:up` or `ID:down`; empty if that is not asked for."""
    text, _colon, where = move.partition(":")
    if not text.isdecimal() or int(text) not in now:
        return now if move else []
    place = now.index(int(text))
    to = max(0, min(len(now) - 1, place + (-1 if where == "up" else 1)))
    now.insert(to, now.pop(place))
    return now
