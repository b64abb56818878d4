"""Which garment a product's name or SKU mentions, and which other values its name does: hints beside what images show.

Words are the taxonomy's names and aliases, in Korean and English, and what merchants also call the values. In both
languages the noun comes last ("데님 자켓", "shirt dress"), so the last word that names a garment counts, and within a
word its longest ending ("청자켓"). A value of another attribute is a word of its own ("leather jacket", "short sleeve")
or what is before the garment in one ("가죽자켓"); a name that mentions two of an attribute hints at neither.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from catalog.also_called import ALSO_CALLED, also_called
from catalog.models import CATEGORY, AttributeValue
from catalog.selectors import Taxonomy

_WORD = re.compile(r"[^\W\d_]+")
_WORD_OR_NUMBER = re.compile(r"[^\W_]+")  # "7부소매"
_ASIDE = frozenset({"with", "for"})  # "jacket with a hood": what follows does not name the product
_LEAST_ENDING, _LEAST_LATIN_ENDING = 2, 4  # shorter ones end other words: "파티", "laptop"
_NO_ENDINGS = frozenset({"vest"})  # "harvest"
_NOT_REALLY_BEFORE = frozenset({"faux", "fake", "vegan", "eco", "페이크", "인조", "에코", "비건"})
_NOT_REALLY_BEHIND = frozenset({"look", "like", "effect", "free", "style", "느낌", "스타일", "프린트"})
_NO_VALUES = frozenset({"cap", "캡"})  # a hat, and a bra's cups ("캡나시"), more often than a sleeve


@dataclass(frozen=True, slots=True)
class Mention:
    """A value that is mentioned: the word, and the value's code."""

    word: str
    value: str


@dataclass(frozen=True, slots=True)
class Hint:
    """What is mentioned.

    `word`: the one for a garment, `top_category` and `category` what it stands for, by their codes, as far as it says;
    none of the three where no garment is mentioned. `values`: by the attribute's code, that of the category too.
    """

    word: str = ""
    top_category: str | None = None
    category: str | None = None
    values: Mapping[str, Mention] = field(default_factory=dict)


def hint_of(name: str, sku: str | None, taxonomy: Taxonomy) -> Hint | None:
    """Return what the name mentions; of no garment, the one that the SKU does. None for nothing at all."""
    words = _vocabulary(taxonomy)
    garment = _mentioned(name, words, taxonomy) or _mentioned(sku or "", words, taxonomy)
    values = _values(name, words, taxonomy)
    if garment is None:
        return Hint(values=values) if values else None
    own = {CATEGORY: Mention(garment.word, garment.category)} if garment.category is not None else {}
    return replace(garment, values=own | values)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKC", text).casefold())


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
                if word := "".join(_WORD.findall(_folded(text))):
                    yield word, value


def _top(value: AttributeValue, taxonomy: Taxonomy) -> AttributeValue:
    return taxonomy.top_categories.get(value.pk, value)


def _mentioned(text: str, words: Mapping[str, AttributeValue], taxonomy: Taxonomy) -> Hint | None:
    tokens = _WORD.findall(_folded(text))
    end = next((place for place, token in enumerate(tokens) if place and token in _ASIDE), len(tokens))
    for place in range(end - 1, -1, -1):
        pair = "".join(tokens[max(place - 1, 0) : place + 1])  # "t-shirt", "padded jacket"
        for word in (_whole(pair, words), _whole(tokens[place], words), _ending(tokens[place], words)):
            if word is not None:
                value = words[word]
                top = _top(value, taxonomy)
                return Hint(word, top.code, value.code if value != top else None)
    return None


def _whole(token: str, words: Collection[str]) -> str | None:
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


def _values(name: str, garments: Collection[str], taxonomy: Taxonomy) -> dict[str, Mention]:
    """The values of attributes other than the category that the name mentions, one of each at most."""
    tokens = _tokens(name)
    found = {}
    for attribute in taxonomy.attributes:
        if attribute != CATEGORY and (words := _words_of(attribute, taxonomy)):
            mentions = dict(_mentions(tokens, words, garments))
            if len(set(mentions.values())) == 1:
                found[attribute] = Mention(*next(iter(mentions.items())))
    return found


def _tokens(name: str) -> list[str]:
    tokens = _WORD_OR_NUMBER.findall(_folded(name))
    return tokens[: next((place for place, token in enumerate(tokens) if place and token in _ASIDE), len(tokens))]


def _words_of(attribute: str, taxonomy: Taxonomy) -> dict[str, str]:
    """The value that each word stands for, by its code; a word that stands for two is left out."""
    words: dict[str, set[str]] = defaultdict(set)
    for value in taxonomy.leaves(attribute):
        for text in (value.name_ko, value.name_en, *value.aliases, *also_called(attribute, value.code)):
            for part in text.split("/"):  # "울/캐시미어"
                words["".join(_WORD_OR_NUMBER.findall(_folded(part)))].add(value.code)
    return {word: next(iter(codes)) for word, codes in words.items() if word not in _NO_VALUES and len(codes) == 1}


def _mentions(tokens: Sequence[str], words: Mapping[str, str], garments: Collection[str]) -> Iterator[tuple[str, str]]:
    """Words that tokens are, or begin with before a garment, and the values that they stand for."""
    place = 0
    while place < len(tokens):
        runs = ((place + length, _whole("".join(tokens[place : place + length]), words)) for length in (3, 2, 1))
        end, word = next(((end, whole) for end, whole in runs if whole), (place + 1, None))
        word = word or _beginning(tokens[place], words, garments)
        beside = (tokens[place - 1 : place] if place else (), tokens[end : end + 1])
        if word and _NOT_REALLY_BEFORE.isdisjoint(beside[0]) and _NOT_REALLY_BEHIND.isdisjoint(beside[1]):
            yield word, words[word]
        place = end


def _beginning(token: str, words: Mapping[str, str], garments: Collection[str]) -> str | None:
    """The longest word that the token begins with if the rest is a garment."""
    starts = (token[:end] for end in range(len(token) - 1, 0, -1) if token[end:] in garments)
    return next((start for start in starts if start in words), None)
