"""How products are searched: the pieces of their names and SKUs that are indexed, and those that a search asks for.

What is typed is found anywhere in a word. So each word is cut into pieces that overlap: two characters of scripts whose
words are short (Korean: 니트), three of others (den, eni, nim). A product is a hit if it has all pieces of all words;
`Product.search_text` then tells whether they follow each other. A word that is shorter than a piece is looked for at
the beginnings of words.
"""

from __future__ import annotations

import unicodedata
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

TEXT_LENGTH = 300
_FIRST_OF_SHORT_WORDS = 0x1100  # Hangul, kana, Chinese characters and what comes between them
_MOST_WORDS = 8


def normalized(text: str) -> str:
    """Return `text` in the one spelling that is compared: NFKC, case folded, words one space apart."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(folded.split())


def search_text(name: str, sku: str | None) -> str:
    """Return what `Product.search_text` holds: name and SKU normalized, as far as the column reaches."""
    return normalized(f"{name} {sku or ''}")[:TEXT_LENGTH].rstrip()


def _term(piece: str) -> int:
    return zlib.crc32(piece.encode(errors="surrogatepass"))


def _beginning(piece: str) -> int:
    return _term(f"^{piece}")


def _is_short_script(character: str) -> bool:
    return ord(character) >= _FIRST_OF_SHORT_WORDS


def _pieces(word: str) -> Iterator[str]:
    for start in range(len(word) - 1):
        if any(_is_short_script(character) for character in word[start : start + 2]):
            yield word[start : start + 2]
    for start in range(len(word) - 2):
        if not any(_is_short_script(character) for character in word[start : start + 3]):
            yield word[start : start + 3]


def _beginnings(word: str) -> Iterator[str]:
    for start, character in enumerate(word):
        if character.isalnum() and (start == 0 or not word[start - 1].isalnum()):
            yield character
            if start + 1 < len(word):
                yield word[start : start + 2]


def terms_of(text: str) -> frozenset[int]:
    """Return the terms under which a product with that `search_text` is indexed: 32 bits each."""
    terms: set[int] = set()
    for word in text.split():
        terms.update(_term(piece) for piece in _pieces(word))
        terms.update(_beginning(piece) for piece in _beginnings(word))
    return frozenset(terms)


def words_of(q: str) -> list[str]:
    """Return the words that a person typed, each once; of very many the first few."""
    return list(dict.fromkeys(normalized(q).split()[:_MOST_WORDS]))


@dataclass(frozen=True)
class Search:
    """What a search asks for: all of the terms, and all of the words that the terms alone do not prove."""

    terms: frozenset[int]
    words: tuple[str, ...]

    @classmethod
    def of(cls, q: str) -> Search:
        """Read what a person typed."""
        terms: set[int] = set()
        words = []
        for word in words_of(q):
            pieces = {_term(piece) for piece in _pieces(word)}
            terms |= pieces or {_beginning(word)}
            if len(pieces) > 1:
                words.append(word)
        return cls(frozenset(terms), tuple(words))
