"""How text that people type is compared, and what of it fits."""

import hashlib
import unicodedata

from django.utils.translation import gettext_lazy as _

from core.errors import Invalid

# What pasting brings along and nobody sees: byte order marks, zero-width spaces, word joiners, soft hyphens.
_DROPPED = dict.fromkeys((0xFEFF, 0x200B, 0x2060, 0x00AD))
_DIRECTION_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Letters and symbols by their category, and yet nothing that is seen: Hangul fillers, the empty Braille pattern.
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
_UNSEEN = frozenset(("Cc", "Cf", "Zl", "Zp", "Zs"))


def lookup_key(text: str) -> str:
    """Return the SHA-256 (hex) of `text` after NFKC, trimming and case folding, without what cannot be seen.

    Databases disagree on what equals what (MariaDB's default collation equates `cafe` and `café`, SQLite does not
    even equate `A1` and `a1`), so uniqueness is kept on this key instead of on the text.
    """
    seen = "".join(character for character in text if unicodedata.category(character) != "Cf")
    folded = unicodedata.normalize("NFKC", seen).strip().casefold()
    return hashlib.sha256(unicodedata.normalize("NFKC", folded).encode(errors="surrogatepass")).hexdigest()


def tidied(text: str) -> str:
    """Return `text` in NFC without what pasting brings: byte order marks, tabs, line breaks, spaces around it.

    What joins characters stays: emoji and some scripts need it.
    """
    spaced = "".join(" " if _is_space(character) else character for character in text.replace("\r\n", "\n")).translate(
        _DROPPED
    )
    start, end = 0, len(spaced)
    while start < end and _is_trimmed(spaced[start]):
        start += 1
    while end > start and _is_trimmed(spaced[end - 1]):
        end -= 1
    return unicodedata.normalize("NFC", spaced[start:end])


def _is_space(character: str) -> bool:
    return character in "\t\n\v\f\r\x85" or unicodedata.category(character) in ("Zl", "Zp")


def _is_trimmed(character: str) -> bool:
    # A tag (U+E0000 and on) ends the flags of England, Scotland and Wales.
    return character.isspace() or (unicodedata.category(character) == "Cf" and ord(character) < 0xE0000)


def has_control_characters(text: str) -> bool:
    """Say whether `text` holds control characters, those that turn its direction around, or halves of characters."""
    return any(
        character in _DIRECTION_CONTROLS or unicodedata.category(character) in ("Cc", "Cs") for character in text
    )


def looks_empty(text: str) -> bool:
    """Say whether `text` has characters, but none that is seen."""
    return bool(text) and all(
        character in _BLANK or unicodedata.category(character) in _UNSEEN or 0xFE00 <= ord(character) <= 0xFE0F
        for character in text
    )


def require_name_length(name: str, limit: int) -> None:
    """Raise Invalid (`name_too_long`) for a name that its column would not hold: SQLite stores it, others break off."""
    if len(name) > limit:
        raise Invalid(
            "name_too_long",
            _("The name has %(length)d characters; at most %(limit)d are possible. Shorten it."),
            {"length": len(name), "limit": limit},
        )
