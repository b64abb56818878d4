"""How sure a model is, in words and digits: the same on every page and in the figures of quality."""

from django.utils.translation import pgettext_lazy

# From which confidence on a word holds; checked from the top.
CERTAINTY = (
    (0.85, "sure", pgettext_lazy("certainty", "sure")),
    (0.60, "likely", pgettext_lazy("certainty", "likely")),
    (0.00, "unsure", pgettext_lazy("certainty", "unsure")),
)

DOUBT_BELOW = CERTAINTY[1][0]


def is_doubtful(fraction: float | None) -> bool:
    """Whether a value that a model is so sure of needs a look of its own before it counts as a person's."""
    return fraction is not None and fraction < DOUBT_BELOW


def percent(fraction: float | None) -> str:
    """Write a share as whole per cent. Only 1 itself is 100%: a model is never wholly sure."""
    if fraction is None:
        return ""
    return f"{100 if fraction >= 1 else min(round(fraction * 100), 99)}%"
