"""Which garment a product's name or SKU mentions: a hint beside what its images show.

Words are the taxonomy's names and aliases of categories, in Korean and English, and what merchants also call them. In
both languages the noun comes last ("데님 자켓", "shirt dress"), so the last word that names a garment counts, and
within a word its longest ending ("청자켓").
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from catalog.also_called import ALSO_CALLED
from catalog.models import CATEGORY, AttributeValue
from catalog.naming import ASIDE, folded
from catalog.selectors import Taxonomy

_WORD = re.compile(r"[^\W\d_]+")
_LEAST_ENDING, _LEAST_LATIN_ENDING = 2, 4  # shorter ones end other words: "파티", "laptop"
_NO_ENDINGS = frozenset({"vest"})  # "harvest"


@dataclass(frozen=True, slots=True)
class Hint:
    """A garment that is mentioned: the word as it was written, its top-level category, and its category if it says one.

    Both are codes.
    """

    word: str
    top_category: str
    category: str | None


def hint_of(name: str, sku: str | None, taxonomy: Taxonomy) -> Hint | None:
    """Return the garment that the name mentions, else the one that the SKU does; None for neither."""
    words = _vocabulary(taxonomy)
    return _mentioned(name, words, taxonomy) or _mentioned(sku or "", words, taxonomy)


def _vocabulary(taxonomy: Taxonomy) -> dict[str, AttributeValue]:
    """The category that each word stands for, a leaf or a top-level one. A word that stands for two is left out, unless
    both are of the same top-level category: then it stands for that."""
    words: dict[str, AttributeValue] = {}
    doubtful = set()
    for word, value in _names(taxonomy):
        known = words.setdefault(word, value)
        if known != value and known != value.parent:
            if _top(known, taxonomy) == _top(value, taxonomy):
                words[word] = _top(value, taxonomy)
            else:
                doubtful.add(word)
    certain = {word: value for word, value in words.items() if word not in doubtful}
    for code, called in ALSO_CALLED[CATEGORY].items():
        named = taxonomy.resolve(CATEGORY, code)
        if named is not None and named.pk in taxonomy.top_categories:
            certain = dict.fromkeys(called.split(), named) | certain
    return certain


def _names(taxonomy: Taxonomy) -> Iterator[tuple[str, AttributeValue]]:
    for leaf in taxonomy.leaves(CATEGORY):
        for value in (_top(leaf, taxonomy), leaf):
            for text in (value.name_ko, value.name_en, *value.aliases):
                if word := "".join(_WORD.findall(folded(text))):
                    yield word, value


def _top(value: AttributeValue, taxonomy: Taxonomy) -> AttributeValue:
    return taxonomy.top_categories.get(value.pk, value)


def _mentioned(text: str, words: Mapping[str, AttributeValue], taxonomy: Taxonomy) -> Hint | None:
    tokens = _WORD.findall(folded(text))
    end = next((place for place, token in enumerate(tokens) if place and token in ASIDE), len(tokens))
    for place in range(end - 1, -1, -1):
        pair = "".join(tokens[max(place - 1, 0) : place + 1])  # "t-shirt", "padded jacket"
        for word in (_whole(pair, words), _whole(tokens[place], words), _ending(tokens[place], words)):
            if word is not None:
                value = words[word]
                top = _top(value, taxonomy)
                return Hint(word, top.code, value.code if value != top else None)
    return None


def _whole(token: str, words: Mapping[str, AttributeValue]) -> str | None:
    """The word that the token is, in the singular where only that is known."""
    return next((form for form in (token, token.removesuffix("s"), token.removesuffix("es")) if form in words), None)


def _ending(token: str, words: Mapping[str, AttributeValue]) -> str | None:
    """The longest word that the token ends in."""
    for start in range(1, len(token)):
        ending = token[start:]
        least = _LEAST_LATIN_ENDING if ending.isascii() else _LEAST_ENDING
        if len(ending) < least:
            return None
        if (word := _whole(ending, words)) and word not in _NO_ENDINGS:
            return word
    return None
