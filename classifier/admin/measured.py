"""What was measured of a model, in words: the registry keeps it under short names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.html import format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.selectors import Taxonomy

_IMAGES = {"flat": gettext_lazy("single garments"), "worn": gettext_lazy("worn garments")}
_FIGURES = {
    "ece": gettext_lazy("how far confidences are off"),
    "found": gettext_lazy("garments found"),
    "found_and_right": gettext_lazy("garments found and described rightly"),
    "hidden": gettext_lazy("hidden ones noticed"),
    "hidden_precision": gettext_lazy("rightly said to be hidden"),
    "iou": gettext_lazy("overlap of the boxes (IoU)"),
    "macro_f1": gettext_lazy("F1, all values alike"),
    "negatives": gettext_lazy("photos without a garment in which one was found"),
    "pairs": gettext_lazy("both garments of a pair found"),
    "pairs_surplus": gettext_lazy("pairs with a garment too many"),
    "surplus": gettext_lazy("garments too many, per photo"),
    "top1": gettext_lazy("first answer right"),
    "top3": gettext_lazy("right among the first three"),
    "top_level": gettext_lazy("top-level category right"),
}


def _words(name: str, taxonomy: Taxonomy) -> str:
    images, rest = "", name
    prefix, _underscore, behind = name.partition("_")
    if prefix in _IMAGES and behind:
        images, rest = str(_IMAGES[prefix]), behind
    attribute = next((code for code in taxonomy.attributes if rest.startswith(f"{code}_")), "")
    rest = rest.removeprefix(f"{attribute}_") if attribute else rest
    figure = str(_FIGURES.get(rest, rest.replace("_", " ")))
    named = taxonomy.attributes[attribute].name if attribute else ""
    return " · ".join(part for part in (images, named, figure) if part)


def _figure(value: Any) -> str:
    if isinstance(value, float) and 0 <= value <= 1:
        return f"{100 * value:.1f} %"
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_figure(one)}" for name, one in value.items())
    return str(value)


def measured(metrics: Mapping[str, Any]) -> str:
    """Return the figures as HTML, a line each."""
    if not metrics:
        return _("nothing was measured")
    taxonomy = Taxonomy.load()
    lines = ((_words(name, taxonomy), _figure(value)) for name, value in metrics.items())
    return format_html_join("", "<div>{}: {}</div>", lines)
