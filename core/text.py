"""How text that people type is compared, and what of it fits."""

import hashlib
import unicodedata

from django.utils.translation import gettext_lazy as _

from core.errors import Invalid


def lookup_key(text: str) -> str:
    """Return the SHA-256 (hex) of `text` after NFKC, trimming and case folding.

    Databases disagree on what equals what (MariaDB's default collation equates `cafe` and `café`, SQLite does not
    even equate `A1` and `a1`), so uniqueness is kept on this key instead of on the text.
    """
    folded = unicodedata.normalize("NFKC", text).strip().casefold()
    return hashlib.sha256(unicodedata.normalize("NFKC", folded).encode()).hexdigest()


def has_control_characters(text: str) -> bool:
    """Say whether `text` holds a control, format, surrogate or private-use character, or a line separator."""
    return any(unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"} for character in text)


def require_name_length(name: str, limit: int) -> None:
    """Raise Invalid (`name_too_long`) for a name that its column would not hold: SQLite stores it, others break off."""
    if len(name) > limit:
        raise Invalid(
            "name_too_long",
            _("The name has %(length)d characters; at most %(limit)d are possible. Shorten it."),
            {"length": len(name), "limit": limit},
        )
