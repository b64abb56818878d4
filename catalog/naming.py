"""Which values a product's name mentions, beside its garment: "leather jacket", "반팔 셔츠", "가죽자켓".

They change nothing that a model says: a page offers them as one more answer, with the word. Words are the taxonomy's
names and aliases, in Korean and English, and what merchants also call the values. A value is a word of its own, or what
is before a garment in one word. What is mentioned of a part ("leather trim"), a look ("denim-look") or a print is not
what the product is of; a name of several garments, or with two values of an attribute, says nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from catalog.also_called import ALSO_CALLED, also_called
from catalog.models import CATEGORY, AttributeValue
from catalog.selectors import Taxonomy

ASIDE = frozenset({"with", "for"})  # "jacket with a hood": what follows does not name the product
_WORD = re.compile(r"\d*[^\W\d_]+|\d+")  # "7부소매" is one, "면100" two
_THREE_QUARTER = re.compile(r"\b3\s*[/\u2044]\s*4\b")
_SEVERAL = re.compile(r"[+&]|세트|투피스|\b(?:set|and)\b|\s앤\s")
_LONGEST = 3  # words that are one value: "three quarter sleeve"
_SLEEVES = frozenset({"sleeves", "sleeved"})

_NO_VALUES = frozenset({"cap", "캡", "mustang", "messi", "none", "other", "없음", "기타"})
# Before a value that the product is not of, and behind one: words for parts, looks, prints, colours.
_NOT_REALLY = """
    faux fake vegan eco pu synthetic imitation artificial made bonded mock micro non no not new football shoulder
    페이크 인조 에코 비건 퓨 피유 가짜 합성 합피 어깨 솔더 숄더
"""
_PARTS = """
    trim trimmed trims lined lining collar cuff cuffs sleeve sleeves hood belt belted patch pocket pockets button
    buttons label panel insert back hem detail details print printed logo embroidered embroidery scarf bag up look like
    effect free style feel feeling touch blue wash color colour imitation alternative vegan faux pu candy paul
    record records screen shoulder st
"""
_PARTS_BEGIN = """
    벨트 배색 카라 소매 시보리 안감 트리밍 트림 포인트 라벨 로고 패치 자수 장식 디테일 버튼 단추 솔더 숄더 어깨 레이어드
    느낌 스타일 프린 터치 라이크 룩 필 같은 풍 업 블루 컬러 색
"""
_BEFORE, _BEHIND, _BEGINS_BEHIND = (
    frozenset(_NOT_REALLY.split()),
    frozenset(_PARTS.split()),
    tuple(_PARTS_BEGIN.split()),
)


@dataclass(frozen=True, slots=True)
class Named:
    """A value that a name mentions, and the words that do."""

    value: AttributeValue
    words: str


def named_values(name: str, taxonomy: Taxonomy) -> dict[str, Named]:
    """Return the values that the name mentions by their attribute's code: one of each at most, never a category."""
    text = folded(name)
    if _SEVERAL.search(text):
        return {}
    tokens = _tokens(text)
    end = next((place for place, token in enumerate(tokens) if place and token in ASIDE), len(tokens))
    found: dict[str, dict[int, Named]] = defaultdict(dict)
    for words, values in _mentions(tokens[:end], _vocabulary(taxonomy), _garments(taxonomy)):
        for attribute, value in values.items():
            found[attribute].setdefault(value.pk, Named(value, words))
    return {attribute: next(iter(named.values())) for attribute, named in found.items() if len(named) == 1}


def folded(text: str) -> str:
    """Return the spelling of names and words that is compared: composed, without case or width."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKC", text).casefold())


def _tokens(text: str) -> list[str]:
    return [
        "sleeve" if token in _SLEEVES else token for token in _WORD.findall(_THREE_QUARTER.sub("three quarter", text))
    ]


def _vocabulary(taxonomy: Taxonomy) -> dict[str, dict[str, AttributeValue]]:
    """The value of each attribute that a word stands for today. A name goes before what merchants also call values, and
    a word for two values of an attribute stands for neither."""
    words: dict[str, dict[str, AttributeValue]] = defaultdict(dict)
    for attribute, values in taxonomy.values.items():
        if attribute == CATEGORY:
            continue
        named: dict[str, set[str]] = defaultdict(set)
        called: dict[str, set[str]] = defaultdict(set)
        for code, value in values.items():
            today = taxonomy.resolve(attribute, code)
            if today is not None:
                for text in (value.name_ko, value.name_en, *value.aliases):
                    for part in text.split("/"):  # "울/캐시미어"
                        named["".join(_tokens(folded(part)))].add(today.code)
                for word in also_called(attribute, code):
                    called[word].add(today.code)
        for word, codes in (called | named).items():
            if len(codes) == 1 and word not in _NO_VALUES and not word.isdecimal():
                words[word][attribute] = values[next(iter(codes))]
    return words


def _garments(taxonomy: Taxonomy) -> set[str]:
    """The words for categories, of two letters or more but for a shirt's last one ("면티")."""
    words = {text for called in ALSO_CALLED[CATEGORY].values() for text in called.split()}
    for value in taxonomy.values[CATEGORY].values():
        words.update("".join(_tokens(folded(text))) for text in (value.name_ko, value.name_en, *value.aliases))
    return {word for word in words if len(word) > 1 or word == "티"}


def _mentions(
    tokens: Sequence[str], words: Mapping[str, dict[str, AttributeValue]], garments: Collection[str]
) -> Iterator[tuple[str, dict[str, AttributeValue]]]:
    """What is mentioned, longest first where one mention is within another, with the values that it stands for."""
    place = 0
    while place < len(tokens):
        runs = range(min(place + _LONGEST, len(tokens)), place, -1)
        end = next((end for end in runs if _singular("".join(tokens[place:end]), words)), place + 1)
        word = _singular("".join(tokens[place:end]), words) or _beginning(tokens[place], words, garments)
        is_part = any(token in _BEHIND or token.startswith(_BEGINS_BEHIND) for token in tokens[end : end + 1])
        if word and not is_part and _BEFORE.isdisjoint(tokens[max(place - 2, 0) : place]):
            yield (" ".join(tokens[place:end]) if end > place + 1 else word), words[word]
        place = end


def _singular(token: str, words: Collection[str]) -> str | None:
    return next((form for form in (token, token.removesuffix("s")) if form in words), None)


def _beginning(token: str, words: Collection[str], garments: Collection[str]) -> str | None:
    """The longest word that the token begins with if the rest is a garment."""
    starts = (token[:end] for end in range(len(token) - 1, 0, -1) if token[end:] in garments)
    return next((start for start in starts if start in words), None)
