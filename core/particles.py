"""Korean particles: which of 을/를, 이/가, 은/는, 과/와, 으로/로 follows a word is heard at the end of the word.

A translation says "%(product)s을(를) 삭제했습니다", as Django's own do; `mend_catalogue` makes such translations choose
the particle when the name is put in. So neither the code nor the translator has to do anything for it.
"""

import re
from typing import Any

from django.utils.safestring import SafeData, mark_safe
from django.utils.translation import trans_real

_CLOSED_L = "l"  # ends in ㄹ, after which 로 is said as after a vowel
_CLOSED = "c"
_OPEN = "o"

# How the last digit is read: 영 일 이 삼 사 오 육 칠 팔 구; 10, 100 and 1000 end in a consonant as 0 does.
_DIGITS = {"1": _CLOSED_L, "7": _CLOSED_L, "8": _CLOSED_L, "0": _CLOSED, "3": _CLOSED, "6": _CLOSED} | dict.fromkeys(
    "2459", _OPEN
)
# Letters that are spelled (SKU, XL): 엘, 엠, 엔 and 알 end in a consonant.
_LETTERS = {"l": _CLOSED_L, "r": _CLOSED_L, "m": _CLOSED, "n": _CLOSED}
# A word as it is usually written in Korean: 데님, 슬림, 라인 / 스타일, 울 / 재킷, 북 / 코트, 셔츠.
_ENDINGS = (
    (re.compile(r"le?$|lle$"), _CLOSED_L),
    (re.compile(r"(m|n|ng|[aeiou]me|[aeiou]ne)$"), _CLOSED),
    (re.compile(r"(?<![aeiou])[aeiou][bckpt]$|ck$"), _CLOSED),
)
_SIGNS = {"%": _OPEN, "℃": _OPEN}

# What follows a word and is not read: quotes, brackets, marks, an entity or a tag of HTML.
_UNREAD = re.compile(r"(?:&[a-zA-Z]+;|&#\w+;|<[^<>]*>|[^\w%℃])+$")
_LAST_WORD = re.compile(r"[A-Za-z]+$")

# The neutral form that translations are written with, and the two it stands for: after a consonant, after a vowel.
NEUTRAL = {
    "을(를)": ("을", "를"),
    "이(가)": ("이", "가"),
    "은(는)": ("은", "는"),
    "과(와)": ("과", "와"),
    "와(과)": ("과", "와"),
    "(으)로": ("으로", "로"),
}
_forms = "|".join(map(re.escape, NEUTRAL))
_BEHIND_A_NAME = re.compile(rf"(%(?:\(\w+\))?[sd]|\{{\w*\}})([”’\"'」』)\]]*)({_forms})")
_MARKED = re.compile(rf"\ue000({_forms})\ue001")


def _ending(word: str) -> str | None:
    """Say how a word ends when it is read aloud; None where that cannot be known."""
    read = _UNREAD.sub("", word)
    if not read:
        return None
    last = read[-1]
    if "가" <= last <= "힣":
        final = (ord(last) - ord("가")) % 28
        return _OPEN if final == 0 else _CLOSED_L if final == 8 else _CLOSED
    if last in _DIGITS or last in _SIGNS:
        return _DIGITS.get(last) or _SIGNS[last]
    latin = _LAST_WORD.search(read)
    if latin is None:
        return None
    letters = latin[0]
    if letters.isupper() and len(letters) <= 4:
        return _LETTERS.get(letters[-1].lower(), _OPEN)
    return next((ending for pattern, ending in _ENDINGS if pattern.search(letters.lower())), _OPEN)


def particle(word: str, neutral: str) -> str:
    """Return the particle that follows a word.

    Args:
        word: what is said before it; quotes and brackets at its end are not read.
        neutral: both forms, as in "을(를)" or "(으)로"; the answer where it cannot be known how the word is read.
    """
    ending = _ending(word)
    if ending is None:
        return neutral
    after_consonant, after_vowel = NEUTRAL[neutral]
    closed = ending == _CLOSED or (ending == _CLOSED_L and neutral != "(으)로")
    return after_consonant if closed else after_vowel


class ParticleText(str):
    """A translation that chooses the particles behind its placeholders when these are filled in, by % or `format`."""

    __slots__ = ()

    def __str__(self) -> str:
        """Stay what it is: `str` of a lazy translation is what most texts are formatted from."""
        return self

    def __mod__(self, values: Any) -> str:
        """Fill in and choose."""
        return _chosen(self._marked() % values)

    def format(self, *args: object, **kwargs: object) -> str:
        """Fill in and choose."""
        return _chosen(self._marked().format(*args, **kwargs))

    def _marked(self) -> str:
        return _BEHIND_A_NAME.sub("\\1\\2\ue000\\3\ue001", str.__str__(self))


def _chosen(text: str) -> str:
    chosen = _MARKED.sub(lambda found: particle(text[max(0, found.start() - 200) : found.start()], found[1]), text)
    return mark_safe(chosen) if isinstance(text, SafeData) else chosen  # noqa: S308 - as safe as it was


def mend_catalogue() -> None:
    """Let the Korean translations choose their particles, Django's own and the theme's as well."""
    catalogue = trans_real.translation("ko")._catalog  # type: ignore[attr-defined]
    for key, text in list(catalogue.items()):
        if isinstance(text, str) and _BEHIND_A_NAME.search(text):
            for one in catalogue._catalogs:
                if one.get(key) == text:
                    one[key] = ParticleText(text)
