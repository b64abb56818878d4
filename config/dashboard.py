"""The administration's first page: what waits, what fails, how the queue stands, what happened this week.

Each number leads to the list of what it counts, and is shown to those only who may open that list. Every read is
bounded: counts end at MOST, and what was read is kept for some seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.core.cache import cache
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

from accounts.models import AuditEvent, Operation, User
from accounts.ready_groups import READY_GROUPS
from catalog.admin.review_across import may_review
from catalog.models import Product
from classifier.jobs import failures
from classifier.models import Classification, Deployment
from core.db import capped_counts

MOST = 10_000
_KEPT = 15  # seconds
_LATE = timedelta(minutes=15)  # what waits longer in the queue is marked
_FEW = 5

State = Operation.State


@dataclass(frozen=True)
class Figure:
    """A number, what it counts, and the list of that. `tone`: "alarm" or "doubt" where somebody should look."""

    label: str
    number: str
    link: str
    note: str = ""
    tone: str = ""


@dataclass(frozen=True)
class Part:
    """A part of the page."""

    title: str
    figures: list[Figure] = field(default_factory=list)


@dataclass(frozen=True)
class _Counted:
    """What was read of the database, the same for everybody."""

    waiting: dict[str, int]
    oldest: datetime | None
    failed: list[failures.Failures]
    operations: dict[str, int]
    week: dict[str, int]
    monday: datetime


def _number(count: int) -> str:
    return f"{MOST:,}+" if count > MOST else f"{count:,}"


def _list(model: str, **query: Any) -> str:
    address = reverse(f"admin:{model.replace('.', '_')}_changelist")
    return f"{address}?{urlencode(query)}" if query else address


def _may_look(request: HttpRequest, model: str) -> bool:
    return admin.site.get_model_admin(apps.get_model(model)).has_view_permission(request)


_WEEK = ("product.create", "image.add", "product.review", "product.publish")


def _count() -> _Counted:
    """Read everything; seven queries."""
    jobs = Classification.objects.filter(purpose=Classification.Purpose.LIVE).order_by()
    products = Product.objects.order_by()
    waiting = capped_counts(
        {
            "to_review": products.filter(status=Product.Status.TO_REVIEW),
            "queued": jobs.filter(state=Classification.State.QUEUED),
            "running": jobs.filter(state=Classification.State.RUNNING),
        },
        MOST + 1,
    )
    oldest = Classification.objects.filter(state=Classification.State.QUEUED, lease_until=None).order_by("pk")
    today = timezone.localdate()
    monday = timezone.make_aware(datetime.combine(today - timedelta(days=today.weekday()), time()))
    events = AuditEvent.objects.filter(created_at__gte=monday).order_by()
    operations = Operation.objects.order_by()
    return _Counted(
        waiting=waiting,
        oldest=oldest.values_list("queued_at", flat=True).first(),
        failed=failures.by_error(),
        operations=capped_counts(
            {
                State.RUNNING: operations.filter(state__in=(State.QUEUED, State.RUNNING)),
                State.PAUSED: operations.filter(state=State.PAUSED),
                State.FAILED: operations.filter(state=State.FAILED, finished_at__gte=monday),
            },
            MOST + 1,
        ),
        week=capped_counts({action: events.filter(action=action) for action in _WEEK}, MOST + 1),
        monday=monday,
    )


def _counted() -> _Counted:
    counted: _Counted | None = cache.get("config.dashboard")
    if counted is None:
        counted = _count()
        cache.set("config.dashboard", counted, _KEPT)
    return counted


def _waits(request: HttpRequest, counted: _Counted) -> list[Figure]:
    figures = []
    to_review, queued = counted.waiting["to_review"], counted.waiting["queued"]
    if _may_look(request, "catalog.product"):
        link = _list("catalog.product", status__exact=Product.Status.TO_REVIEW)
        if may_review(request):
            link = reverse("admin:catalog_product_review")
        figures.append(Figure(_("products to review"), _number(to_review), link, tone="doubt" if to_review else ""))
    if _may_look(request, "classifier.classification"):
        oldest = counted.oldest if queued else None
        late = oldest is not None and timezone.now() - oldest > _LATE
        note = "" if oldest is None else _("the oldest has waited for %(time)s") % {"time": timesince(oldest)}
        figures += [
            Figure(
                _("photos in the queue"),
                _number(queued),
                _list("classifier.classification", state="queued", purpose__exact="live"),
                note,
                "alarm" if late else "",
            ),
            Figure(
                _("photos being classified"),
                _number(counted.waiting["running"]),
                _list("classifier.classification", state="running", purpose__exact="live"),
            ),
        ]
    if _may_look(request, "accounts.operation"):
        running, paused = counted.operations[State.RUNNING], counted.operations[State.PAUSED]
        alive = _list("accounts.operation", state__in=f"{State.QUEUED},{State.RUNNING}")
        figures += [
            Figure(_("operations under way"), _number(running), alive),
            Figure(_("operations paused"), _number(paused), _list("accounts.operation", state__exact="paused")),
        ]
    return figures


def _fails(request: HttpRequest, counted: _Counted) -> list[Figure]:
    figures = []
    if _may_look(request, "classifier.classification"):
        figures = [
            Figure(
                one.label,
                _number(one.count),
                _list("classifier.classification", state="unsolved", error_code__exact=one.code),
                _("photos"),
                "alarm",
            )
            for one in counted.failed[:_FEW]
        ]
        if not figures:
            none = _list("classifier.classification", state="unsolved")
            figures.append(Figure(_("photos that could not be classified"), "0", none))
    if _may_look(request, "accounts.operation"):
        failed = counted.operations[State.FAILED]
        link = _list("accounts.operation", state__exact="failed", finished_at__gte=counted.monday.isoformat())
        figures.append(Figure(_("operations failed this week"), _number(failed), link, tone="alarm" if failed else ""))
    return figures


def _week(request: HttpRequest, counted: _Counted) -> list[Figure]:
    if not _may_look(request, "accounts.auditevent"):
        return []
    labels = {
        "product.create": _("products registered"),
        "image.add": _("uploads of photos"),
        "product.review": _("products reviewed"),
        "product.publish": _("products published"),
    }
    since = {"created_at_from_0": counted.monday.date().isoformat(), "created_at_from_1": "00:00:00"}
    return [
        Figure(label, _number(counted.week[action]), _list("accounts.auditevent", action__exact=action, **since))
        for action, label in labels.items()
    ]


def _keeping(request: HttpRequest, counted: _Counted) -> list[Figure]:
    figures = []
    for model, label in (("catalog.attribute", _("attributes")), ("catalog.attributevalue", _("values"))):
        if request.user.has_perm(model.replace(".", ".change_")) and _may_look(request, model):
            number = apps.get_model(model)._default_manager.count()
            figures.append(Figure(label, _number(number), _list(model)))
    if _may_look(request, "classifier.deployment"):
        deployment = Deployment.objects.select_related("active").first()
        if deployment is not None:
            name = str(deployment.active)
            figures.append(Figure(_("models in service"), name, _list("classifier.deployment")))
    if _may_look(request, "accounts.user"):
        merchants = apps.get_model("accounts.merchant")._default_manager.filter(is_active=True).count()
        figures.append(Figure(_("merchants"), _number(merchants), _list("accounts.merchant")))
    return figures


def _parts(request: HttpRequest) -> list[Part]:
    makers: list[tuple[str, Callable[[HttpRequest, _Counted], list[Figure]]]] = [
        (_("What waits"), _waits),
        (_("What fails"), _fails),
        (_("This week"), _week),
        (_("What is kept"), _keeping),
    ]
    counted = _counted()
    parts = (Part(title, maker(request, counted)) for title, maker in makers)
    return [part for part in parts if part.figures]


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the page's parts to the context of the index; for who may open nothing, what to ask for."""
    if not context["app_list"]:
        superusers = User.objects.filter(is_superuser=True, is_active=True).order_by("pk")
        return context | {"ready_groups": READY_GROUPS, "superusers": superusers[:_FEW]}
    retry = request.user.has_perm("classifier.change_classification") and _may_look(
        request, "classifier.classification"
    )
    return context | {
        "parts": _parts(request),
        "retry": reverse("admin:classifier_classification_retry_failed") if retry else "",
    }
