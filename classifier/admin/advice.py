"""What the figures of quality and a shadow report mean, in sentences: what is so, how sure that is, what to do next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from classifier.models import AcceptanceThreshold, ShadowReport
from classifier.precision import wilson_interval
from classifier.quality.metrics import Automatic, Drift, Rate, Verdicts, corrections

ENOUGH = 100  # decisions from which a share says something
GOOD, POOR = 0.95, 0.80
_OFTEN = 10  # corrections of one kind
_RISE = 0.05  # of a week's share over that of the weeks before
_WEEK = 200  # predictions of a week


@dataclass(frozen=True)
class Advice:
    """A sentence; whether it is good news (`good`), worth a look (`look`) or asks for something (`act`); a way on."""

    level: str
    text: str
    link: str = ""
    link_text: str = ""

    @property
    def word(self) -> str:
        """The level in a word, so that it is not told by colour alone."""
        return {"good": _("Good"), "look": _("Look at it"), "act": _("Do something")}[self.level]


def _share(value: float) -> str:
    return f"{value:.0%}"


def _between(rate: Rate) -> dict[str, Any]:
    low, high = rate.interval
    return {"kept": rate.kept, "total": rate.total, "low": _share(low), "high": _share(high)}


def of_quality(
    rates: Mapping[int, Rate],
    found: Iterable[Verdicts],
    automatic: Mapping[int, Automatic],
    drift: Sequence[Drift],
    attributes: Mapping[int, str],
    values: Mapping[int, str],
) -> list[Advice]:
    """Say what the figures of a period ask for, what asks for most first.

    Args:
        rates: what people kept and changed, by attribute.
        found: the verdicts that these are counted from.
        automatic: what was auto-accepted, by attribute.
        drift: what the networks saw, by week.
        attributes: names by id.
        values: names by id.
    """
    verdicts = list(found)
    said = [
        *(_of_attribute(key, rate, attributes[key]) for key, rate in rates.items()),
        *_of_accepted(automatic, attributes),
        *_of_corrections(verdicts, attributes, values),
        *_of_drift(drift),
    ]
    if not rates:
        said.append(
            Advice(
                "look",
                _("Nobody has decided on a proposal in this period, so nothing can be said of how good they are."),
                reverse("catalog:review_queue"),
                _("Review products"),
            )
        )
    return sorted(said, key=lambda one: ("act", "look", "good").index(one.level))


def _of_attribute(key: int, rate: Rate, name: str) -> Advice:
    given = {"attribute": name, **_between(rate)}
    thresholds = reverse("admin:classifier_acceptancethreshold_changelist") + f"?attribute__id__exact={key}"
    if rate.total < ENOUGH:
        text = _(
            "%(attribute)s: people kept %(kept)d of %(total)d proposals. Too few to rely on; with 100 one can say more."
        )
        return Advice("look", text % given, reverse("catalog:review_queue"), _("Review products"))
    text = _("%(attribute)s: people kept %(kept)d of %(total)d proposals, so between %(low)s and %(high)s are right.")
    if rate.interval[0] >= GOOD:
        return Advice("good", text % given, thresholds, _("See what is auto-accepted"))
    if rate.interval[1] < POOR:
        more = _("People should go on looking at each; a model that was trained on the corrections may do better.")
        return Advice("act", f"{text % given} {more}", "#corrections", _("See the corrections"))
    more = _("What is most often corrected is below.")
    return Advice("look", f"{text % given} {more}", "#corrections", _("See the corrections"))


def _of_accepted(automatic: Mapping[int, Automatic], attributes: Mapping[int, str]) -> Iterable[Advice]:
    asked: dict[int, float] = {}
    for attribute, precision in AcceptanceThreshold.objects.filter(enabled=True, threshold__isnull=False).values_list(
        "attribute_id", "precision"
    ):
        asked[attribute] = max(precision, asked.get(attribute, 0.0))
    for key, one in automatic.items():
        if key not in asked or not one.sample.total:
            continue
        page = reverse("admin:classifier_acceptancethreshold_changelist")
        given = {"attribute": attributes[key], "asked": f"{asked[key]:.1%}", **_between(one.sample)}
        text = _(
            "%(attribute)s: of a sample of what is auto-accepted %(kept)d of %(total)d were right; asked is %(asked)s."
        )
        if one.sample.interval[1] < asked[key]:
            more = _("That is less than was asked. Calibrate again, or switch the threshold off.")
            yield Advice("act", f"{text % given} {more}", page, _("Thresholds"))
        else:
            yield Advice("good", text % given, page, _("Thresholds"))


def _of_corrections(
    found: Sequence[Verdicts], attributes: Mapping[int, str], values: Mapping[int, str]
) -> Iterable[Advice]:
    proposed: dict[int, int] = {}
    attribute_of: dict[int, int] = {}
    for one in found:
        proposed[one.proposed] = proposed.get(one.proposed, 0) + one.count
        attribute_of[one.proposed] = one.attribute
    for (before, after), count in corrections(found).most_common(3):
        if count < _OFTEN or count < proposed[before] / 5:
            continue
        given = {
            "attribute": attributes[attribute_of[before]],
            "before": values[before],
            "after": _("not applicable") if after is None else values[after],
            "count": count,
            "total": proposed[before],
        }
        text = _(
            "%(attribute)s: of %(total)d times “%(before)s” was proposed, people said “%(after)s” %(count)d times."
        )
        more = _("If the two mean the same, merge them; if not, the model needs photos of both.")
        link = reverse("admin:catalog_attributevalue_merge", args=[before])
        yield Advice("look", f"{text % given} {more}", link, _("Look at a merge"))


def _of_drift(drift: Sequence[Drift]) -> Iterable[Advice]:
    before, last = Drift(), drift[-1] if drift else Drift()
    for week in drift[:-1]:
        before.predictions += week.predictions
        before.unsure += week.unsure
        before.images += week.images
        before.empty += week.empty
    photos = reverse("admin:catalog_productimage_changelist")
    now, then = last.unsure_share, before.unsure_share
    if now is not None and then is not None and last.predictions >= _WEEK and now > then + _RISE:
        text = _(
            "This week %(now)s of the predictions are unsure, before it was %(then)s: the photos may have changed."
        )
        yield Advice("act", text % {"now": _share(now), "then": _share(then)}, photos, _("Look at the newest photos"))
    now, then = last.empty_share, before.empty_share
    if now is not None and then is not None and last.images >= _WEEK and now > then + _RISE:
        text = _("This week no garment was found in %(now)s of the photos, before it was %(then)s.")
        yield Advice("act", text % {"now": _share(now), "then": _share(then)}, photos, _("Look at the newest photos"))


@dataclass(frozen=True)
class Verdict:
    """A shadow report in sentences: what will change, how sure, what to do next."""

    changes: str
    sure: str
    next: Advice


def of_report(report: ShadowReport) -> Verdict:
    """Read a report as somebody would who knows what the numbers are worth."""
    figures = report.figures
    products, changed = figures["products"], figures["changed"]
    low, high = wilson_interval(changed, products)
    given = {"changed": changed, "products": products, "low": _share(low), "high": _share(high)}
    changes = (
        _(
            "Of %(products)d products that were looked at, %(changed)d would get another proposal: between %(low)s and "
            "%(high)s of all. What people decided and what is published stays."
        )
        % given
    )
    attributes = figures.get("attributes", {}).values()
    decided = sum(one["decided"] for one in attributes)
    now, then = (Rate(sum(one[key] for one in attributes)) for key in ("now", "then"))
    now.changed, then.changed = decided - now.kept, decided - then.kept
    candidate = reverse("admin:classifier_modelset_change", args=[report.candidate_id])
    if decided < ENOUGH:
        sure = _("People decided only %(decided)d of these values: too few to say which models are better.")
        text = _(
            "Review some products first, or try the candidate on more photos. Look at the examples below meanwhile."
        )
        advice = Advice("look", text, reverse("catalog:review_queue"), _("Review products"))
        return Verdict(changes, sure % {"decided": decided}, advice)
    given = {
        "decided": decided,
        "now": _share(now.acceptance or 0.0),
        "then": _share(then.acceptance or 0.0),
        "low": _share(then.interval[0]),
        "high": _share(then.interval[1]),
    }
    sure = (
        _(
            "Of %(decided)d values that people decided, today's models say the same for %(now)s and the candidate for "
            "%(then)s (with 95 %% certainty between %(low)s and %(high)s)."
        )
        % given
    )
    if then.interval[0] > now.interval[1]:
        advice = Advice(
            "good", _("The candidate is better beyond chance. It can be promoted."), candidate, _("Promote it")
        )
    elif then.interval[1] < now.interval[0]:
        text = _("The candidate is worse beyond chance. Leave it; the most frequent changes below say where it fails.")
        advice = Advice("act", text, "#changes", _("See the changes"))
    else:
        text = _(
            "The difference may be chance. Look at the examples below: if most changes are right, promote it; if you "
            "cannot tell, try it on more photos."
        )
        advice = Advice("look", text, candidate, _("The candidate"))
    return Verdict(changes, sure, advice)
