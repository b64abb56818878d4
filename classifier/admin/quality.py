"""The page of quality: what people kept and changed, what was auto-accepted, and how the input drifts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from accounts.admin.base import admin_actor
from accounts.models import Merchant
from catalog.models import AttributeValue
from classifier.admin import advice
from classifier.models import ModelVersion
from classifier.quality import counting, metrics
from classifier.quality.charts import Axis, Dot, Line, line_chart
from classifier.quality.counting import Figures
from classifier.quality.metrics import Automatic, Drift, Period, Rate, Verdicts
from core.errors import Refused

if TYPE_CHECKING:
    from core.admin.base import BaseAdmin

WEEKS = (4, 12, 26, 52)
DEFAULT_WEEKS = 12
_MOST_IN_MATRIX = 8
_HEATS = 5


class QualityForm(forms.Form):
    """Which merchant, and how far back."""

    merchant = forms.ModelChoiceField(
        Merchant.objects.all(),
        label=_("Merchant"),
        required=False,
        empty_label=_("all shops"),
        widget=UnfoldAdminSelectWidget,
    )
    weeks = forms.TypedChoiceField(
        label=_("Period"),
        coerce=int,
        required=False,
        choices=lambda: [(weeks, _("%(weeks)d weeks") % {"weeks": weeks}) for weeks in WEEKS],
        widget=UnfoldAdminSelectWidget,
    )

    @property
    def chosen(self) -> tuple[int, Merchant | None]:
        """The weeks and the merchant; the defaults where the choice makes no sense."""
        chosen = self.cleaned_data if self.is_valid() else {}
        return chosen.get("weeks") or DEFAULT_WEEKS, chosen.get("merchant")


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"


@dataclass(frozen=True)
class RateLine:
    """One line of a table of rates."""

    label: str
    rate: Rate

    @property
    def acceptance(self) -> str:
        """The share of proposals that people kept, in per cent."""
        return _percent(self.rate.acceptance)

    @property
    def override(self) -> str:
        """The share of proposals that people changed, in per cent."""
        return _percent(self.rate.override)

    @property
    def kept_width(self) -> str:
        """For the bar, in per cent."""
        return f"{100 * (self.rate.acceptance or 0):.1f}"

    @property
    def changed_width(self) -> str:
        """For the rest of the bar."""
        return f"{100 * (self.rate.override or 0):.1f}"


@dataclass(frozen=True)
class Cell:
    """How often one value was changed to another, and how dark that is shown."""

    count: int
    heat: int


@dataclass(frozen=True)
class Matrix:
    """The most frequent corrections of an attribute: a line a proposed value, a column a decided one."""

    attribute: str
    columns: list[str]
    lines: list[tuple[str, list[Cell]]]
    total: int
    shown: int

    @property
    def others(self) -> int:
        """Corrections that the matrix has no place for."""
        return self.total - self.shown


class _Names:
    """What ids are called; two queries."""

    def __init__(self, found: Iterable[Verdicts]) -> None:
        values = list(AttributeValue.objects.select_related("attribute"))
        self.values = {value.pk: str(value) for value in values}
        self.attributes = {value.attribute_id: str(value.attribute) for value in values}
        self.order = {value.attribute_id: (value.attribute.position, value.attribute_id) for value in values}
        versions = ModelVersion.objects.filter(pk__in={one.model for one in found})
        self.models = {version.pk: f"{version.name} ({version.sha256[:8]})" for version in versions}

    def decided(self, value: int | None) -> str:
        """A value, or that the attribute does not apply."""
        return str(_("not applicable")) if value is None else self.values[value]


def _lines(counted: Mapping[int, Rate], names: Mapping[int, str]) -> list[RateLine]:
    """By falling number of decisions."""
    ordered = sorted(counted.items(), key=lambda item: (-item[1].total, names[item[0]]))
    return [RateLine(names[key], rate) for key, rate in ordered]


def _matrix(attribute: str, found: Iterable[Verdicts], names: _Names) -> Matrix:
    counted = metrics.corrections(found)
    proposed: Counter[int] = Counter()
    decided: Counter[int | None] = Counter()
    for (before, after), count in counted.items():
        proposed[before] += count
        decided[after] += count
    rows = [before for before, _count in proposed.most_common(_MOST_IN_MATRIX)]
    columns = [after for after, _count in decided.most_common(_MOST_IN_MATRIX)]
    largest = max(counted.values(), default=1)
    lines = [
        (
            names.values[before],
            [Cell(counted[before, after], -(-counted[before, after] * _HEATS // largest)) for after in columns],
        )
        for before in rows
    ]
    return Matrix(
        attribute,
        [names.decided(after) for after in columns],
        lines,
        total=counted.total(),
        shown=sum(cell.count for _label, cells in lines for cell in cells),
    )


def _weekly(title: Any, period: Period, lines: Mapping[str, list[tuple[float | None, int]]]) -> str:
    """A chart of shares by week, each with the number that it is a share of."""
    days = [f"{localtime(start):%m-%d}" for start in period.starts]
    every = len(days) // 13 + 1
    drawn = [
        Line(
            label,
            [
                Dot(week, share, f"{label}, {days[week]}: {_percent(share)} / {count}")
                for week, (share, count) in enumerate(shares)
            ],
        )
        for label, shares in lines.items()
    ]
    places = [(float(week), day) for week, day in enumerate(days) if week % every == 0]
    return line_chart(str(title), drawn, Axis(-0.5, len(days) - 0.5, places))


def _figures(total: Rate, automatic: Iterable[Automatic], drift: Iterable[Drift]) -> list[tuple[Any, str, Any]]:
    """The numbers at the top: what, how much, and of how many."""
    whole, seen = Automatic(), Drift()
    for one in automatic:
        whole.accepted += one.accepted
        whole.reviewed += one.reviewed
        whole.sample.kept += one.sample.kept
        whole.sample.changed += one.sample.changed
    for week in drift:
        seen.predictions += week.predictions
        seen.unsure += week.unsure
        seen.images += week.images
        seen.empty += week.empty
    return [
        (_("kept by people"), _percent(total.acceptance), f"{total.kept} / {total.total}"),
        (_("changed by people"), _percent(total.override), f"{total.changed} / {total.total}"),
        (_("auto-accepted"), _percent(whole.coverage), f"{whole.accepted} / {whole.accepted + whole.reviewed}"),
        (_("of that right, by the sample"), *_measured(whole.sample)),
        (_("unsure predictions"), _percent(seen.unsure_share), f"{seen.unsure} / {seen.predictions}"),
        (_("photos without a garment"), _percent(seen.empty_share), f"{seen.empty} / {seen.images}"),
    ]


def _measured(sample: Rate) -> tuple[str, str]:
    """The precision, and of how many with which interval."""
    low, high = sample.interval
    interval = f" ({_percent(low)} – {_percent(high)})" if sample.total else ""
    return _percent(sample.acceptance), f"{sample.kept} / {sample.total}{interval}"


def _context(figures: Figures) -> dict[str, Any]:
    period, found, automatic, drift = figures.period, figures.found, figures.automatic, figures.drift
    names = _Names(found)
    by_week = metrics.rates(found, lambda one: (one.attribute, one.week))
    attributes = sorted({*automatic, *(one.attribute for one in found)}, key=names.order.__getitem__)
    of_attribute = {code: [one for one in found if one.attribute == code] for code in attributes}
    total = Rate(sum(one.count for one in found if one.right), sum(one.count for one in found if not one.right))
    none = Rate()
    weeks = range(len(period.starts))
    rate_of_week = {
        names.attributes[attribute]: [
            (rate.acceptance, rate.total) for rate in (by_week.get((attribute, week), none) for week in weeks)
        ]
        for attribute in attributes[:6]
    }
    drift_of_week = {
        str(_("unsure predictions")): [(week.unsure_share, week.predictions) for week in drift],
        str(_("photos without a garment")): [(week.empty_share, week.images) for week in drift],
    }
    return {
        "advice": advice.of_quality(
            metrics.rates(found, lambda one: one.attribute), found, automatic, drift, names.attributes, names.values
        ),
        "figures": _figures(total, automatic.values(), drift),
        "total": total.total,
        "by_attribute": _lines(metrics.rates(found, lambda one: one.attribute), names.attributes),
        "by_model": _lines(metrics.rates(found, lambda one: one.model), names.models),
        "by_class": [
            (names.attributes[attribute], _lines(metrics.rates(part, lambda one: one.proposed), names.values))
            for attribute, part in of_attribute.items()
        ],
        "matrices": [_matrix(names.attributes[attribute], part, names) for attribute, part in of_attribute.items()],
        "automatic": [
            (names.attributes[code], one, _percent(one.coverage), *_measured(one.sample))
            for code, one in ((code, automatic[code]) for code in attributes)
        ],
        "weekly_chart": _weekly(_("kept by people, by week"), period, rate_of_week),
        "drift_chart": _weekly(_("drift of the input, by week"), period, drift_of_week),
        "low_confidence": f"{metrics.LOW_CONFIDENCE:.0%}",
    }


def quality_page(model_admin: BaseAdmin[Any], request: HttpRequest) -> HttpResponse:
    """The page, for staff who may look at thresholds and all merchants."""
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    form = QualityForm({"weeks": DEFAULT_WEEKS, **request.GET.dict()})
    weeks, merchant = form.chosen
    merchant_id = merchant.pk if merchant else None
    if request.method == "POST":
        try:
            counting.start_counting(actor=admin_actor(request), weeks=weeks, merchant=merchant)
        except Refused as refused:
            messages.warning(request, refused.message)
        return redirect(request.get_full_path())
    figures = counting.figures_of(weeks, merchant_id)
    kept = figures is None or figures.counted_at is not None
    context = {
        **model_admin.admin_site.each_context(request),
        **(_context(figures) if figures else {}),
        "counted": figures is not None,
        "counted_at": figures.counted_at if figures else None,
        "may_count": kept,
        "under_way": counting.under_way(weeks, merchant_id) if kept else None,
        "title": _("Quality"),
        "form": form,
        "media": model_admin.media,
    }
    return TemplateResponse(request, "admin/classifier/quality.html", context)
