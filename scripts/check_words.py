"""Finds words that have another name here: `docs/architecture.md` lists the ones to use. `make lint` runs this.

Reads code, comments, templates, texts to translate, docs and migrations as text, so it needs neither Django nor a
database. The API's schema comes from the serializers, whose names it reads. Where a word is right after all, add it to
EXCEPTIONS with the reason.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

BASE = Path(__file__).resolve().parent.parent
FOLDERS = (
    "accounts", "benchmarks", "catalog", "classifier", "clients", "config", "core", "demo", "docs", "locale", "scripts",
    "static", "templates", "tests", "vision",
)  # fmt: skip
SUFFIXES = {".css", ".html", ".js", ".json", ".md", ".po", ".py", ".yaml", ".yml"}
OTHERS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "Makefile", "Procfile", ".env.example")
# Migrations up to these were written before the words were chosen, and stay as they ran.
LAST_OLD_MIGRATION = {"accounts": 6, "catalog": 7, "classifier": 9}

CODE, PAGES, DOCS, TESTS = "code", "pages", "docs", "tests"
EVERYWHERE = frozenset({CODE, PAGES, DOCS, TESTS})
PROSE = EVERYWHERE - {TESTS}  # names of tests are sentences, not names that others read
GETTEXT = {"_", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy", "pgettext", "pgettext_lazy"}


@dataclass(frozen=True)
class Word:
    """A word, or a pattern, that is not used here.

    Attributes:
        instead: what to write.
        pattern: a regular expression, without regard to case.
        needles: texts of which every match has one, in lower case; a file without them is not searched.
        where: kinds of text that it is looked for in.
        files: patterns of paths that it is looked for in; all without any.
    """

    instead: str
    pattern: re.Pattern[str]
    needles: tuple[str, ...]
    where: frozenset[str] = EVERYWHERE
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    """A word that was found in a file."""

    path: str
    line: int
    text: str
    instead: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: “{self.text}”: write {self.instead}"


@dataclass(frozen=True)
class Allowed:
    """Where a word is right after all."""

    files: str
    word: str
    why: str
    compiled: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "compiled", re.compile(self.word, re.IGNORECASE))


def _word(
    pattern: str, instead: str, *, needle: str = "", where: frozenset[str] | set[str] = EVERYWHERE, files: str = ""
) -> Word:
    """Describe a word; `needle` (several with bars between them) is the pattern itself unless it is given."""
    needles = tuple((needle or pattern.lower()).split("|"))
    whole = re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE)
    return Word(instead, whole, needles, frozenset(where), tuple(files.split()))


_API = "*/api.py */api/*.py config/api.py clients/* docs/api.md tests/api/*"
_PROPOSALS = "catalog/* classifier/* tests/* templates/* docs/*"
_VALUES = "catalog/* tests/catalog/* tests/portal/* tests/api/* templates/catalog/* docs/quality.md"
_THINGS = (
    "file|image|photo|garment|product|merchant|key|pixel|core|lane|thread|role|set|crop|class|version|address|machine|"
    "transaction|operation|attribute|upload|worker|page|model|week|top-level category|scope|reason|kind|user|person|"
    "day|run|epoch|caller|process"
)
_COUNTED = (
    "entry|row|line|folder|result|query|queries|job|jobs|boxes|images|lane|thread|token|version|transaction|bytes|"
    "milliseconds|seconds|requests|times"
)

WORDS = (
    # One word for each thing.
    _word(r"\w*(?<![a-z])photographs?(?![a-z])\w*", "image (photo on pages)", needle="photograph"),
    _word(r"\w*(?<![a-z])pictures?(?![a-z])\w*", "image (photo on pages)", needle="picture"),
    _word(r"(?<!demo )(?<!demo_)shops?(?!\.example)", "merchant", needle="shop", where={CODE}),
    _word(r"\w*(?<![a-z])doors?(?![a-z])\w*", "channel, or upload validation", needle="door"),
    _word(r"via", "channel", where={CODE}),
    _word(r"first[-_ ]levels?", "top-level category", needle="first"),
    _word(r"row_source|row_threshold|RowSource", "top_category_source, TOP_CATEGORY_…", needle="row"),
    _word(
        r"cho[o]?sen?_row|proposal_row|unknown_row|no_row|is_none_of_the_rows|find_row",
        "top_category in the place of row",
        needle="row",
    ),
    _word(r"product\.row(?:_id)?", "product.top_category", needle="product.row", files=_PROPOSALS),
    _word(
        r"(?:chosen|proposed|proposal|proposal's) rows?|rows? of (?:a|the) proposal",
        "candidate, or top-level category",
        needle="row",
        files=_PROPOSALS,
    ),
    _word(r"(?<=[\"'`])row(?=[\"'`])", "top_category", needle="row", files=_API),
    _word(
        r"(?:row|entry)\[\"(?:top_category|attributes|images|of)",
        "the typed Proposal",
        needle='["',
        files="catalog/* classifier/*",
    ),
    _word(r"\w*(?<![a-z])standing(?![a-z])\w*", "current value, or the decision that counts", needle="standing"),
    _word(
        r"\w*(?<![a-z])settle[sd]?(?![a-z])\w*",
        "recompute_values, or needs no review",
        needle="settle",
        files=_VALUES,
    ),
    _word(r"def follow|\.follow\(|import follow", "recompute_values", needle="follow", files=_VALUES),
    _word(r"accept(?:ed|s)? (?:anything |it )?by (?:itself|themselves)", "auto-accepted", needle="accept"),
    _word(r"soups?|soup_\w+", "weight averaging", needle="soup"),
    _word(r"turn_some|turn_\w*90", "rotate90", needle="turn_"),
    _word(r"class Average|Average\(", "Ema, or weight averaging", needle="average", files="vision/*"),
    _word(r"objectives?", "losses, sampling", needle="objective"),
    _word(r"papers", "report"),
    _word(r"meanings", "class mapping"),
    _word(r"rights", "permissions", where=PROSE),
    _word(r"twice is the same as once|twice is the same as", "idempotent", needle="twice is the same"),
    # Plain English.
    _word(r"anew", "again", where=PROSE),
    _word(r"whoever|whomever", "the caller, or the person who", where=PROSE),
    _word(r"what (?:nobody|no one|hardly anybody)", "what it is, then what is true of it", needle="what ", where=PROSE),
    _word(
        r"(?<!there )(?:is|are|was|were) no (?!longer|more|less|fewer|better|worse|wider|larger|smaller|faster|slower|"
        r"good|use|matter|other|way|one|reason|answer|secret|\d)[a-z]\w*",
        "is not a(n) …",
        needle=" no ",
        where=PROSE,
    ),
    _word(r"by (?:itself|themselves)", "alone, on its own, or automatically", needle="by itself|by them", where=PROSE),
    _word(
        rf"(?:one|two|three|four|\d+|(?:one )?(?:{_COUNTED})) an? (?:{_THINGS})",
        "per …",
        needle=" a | an ",
        where=PROSE,
    ),
    _word(r"stands? (?!for\b|out\b|in for\b)\w+", "is", needle="stand", where=PROSE),
    # Grammar that a replacement of words broke.
    _word(
        r"an (?-i:(?!html|http|hour|honest|heir|mp\d|nms|sha|sql|ssh|svg|xml)[bcdfghjklmnpqrstvwxyz][a-z]+)",
        "a …",
        needle="an ",
        where=PROSE,
    ),
    _word(
        r"a (?-i:(?!(?:one|once|in|and|or|is|if|as|at|are|of|on)\b)(?:[aio][a-z]+|e(?!u)[a-z]+))",
        "an …",
        needle="a a|a i|a o|a e",
        where=PROSE,
    ),
    _word(r"the the|a the|an the|the an|an an", "one article", where=PROSE),
    _word(
        r"an? (?:photos|images|products|merchants|garments)(?!['-])",
        "the singular",
        needle="a photos|an images|a products|a merchants|a garments|an photos",
        where=PROSE,
    ),
)  # fmt: skip

# Modules that are called something else.
FILE_NAMES = {
    "figures": "metrics.py or report.py", "meanings": "class_mapping.py", "objective": "losses.py and sampling.py",
    "papers": "report.py", "rights": "permissions.py", "runs": "report.py", "scores": "metrics.py",
    "soup": "weight_averaging.py", "door": "upload_validation.py", "photographs": "images.py", "pictures": "images.py",
    "standing": "catalog/values/", "settle": "catalog/values/",
}  # fmt: skip

EXCEPTIONS = (
    Allowed("scripts/check_words.py", ".", "it names the words that it looks for"),
    Allowed("docs/architecture.md", ".*", "its glossary names the words that are not used"),
    Allowed("CHANGELOG.md", ".*", "it names what was renamed"),
    Allowed("tests/core/test_check_words.py", ".*", "it tests the words that are not used"),
    Allowed("tests/*/test_migration*.py", ".*", "they read what earlier releases stored"),
    Allowed("catalog/proposal.py", r"(?:row|entry)", "it turns what the database stores into the typed Proposal"),
    Allowed("docs/openapi.yaml", r"shops?", "it repeats what errors say to people"),
    Allowed("demo/*", r"shops?", "the demo shop is called so on pages and in the docs"),
    Allowed("tests/demo/*", r"shops?", "the demo shop is called so on pages and in the docs"),
    Allowed("demo/images/SOURCES.md", r"photographs?|pictures?|a \w+|an \w+", "titles of the works of others"),
)


def _files() -> Iterator[Path]:
    for folder in FOLDERS:
        for path in sorted((BASE / folder).rglob("*")):
            if path.suffix in SUFFIXES and not path.name.endswith(".min.js"):  # somebody else's
                yield path
    yield from (BASE / name for name in OTHERS if (BASE / name).is_file())


def _is_old_migration(parts: tuple[str, ...]) -> bool:
    number = parts[-1][:4]
    return "migrations" in parts and number.isdigit() and int(number) <= LAST_OLD_MIGRATION.get(parts[0], 0)


def _kind(path: str) -> str:
    if path.startswith(("tests/", "benchmarks/")):
        return TESTS
    if path.endswith(".md"):
        return DOCS
    return PAGES if path.endswith((".po", ".html")) else CODE


def _lines_of_texts(source: str) -> set[int]:
    """Numbers of the lines of a module that belong to texts for pages."""
    lines: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in GETTEXT:
            for text in node.args:
                if isinstance(text, ast.Constant) and isinstance(text.value, str):
                    lines.update(range(text.lineno, (text.end_lineno or text.lineno) + 1))
    return lines


def _without_translations(catalogue: str) -> str:
    """The catalogue with only its msgids left, each on its line."""
    lines, keeps = [], False
    for line in catalogue.splitlines():
        keeps = line.startswith("msgid") or (keeps and line.startswith('"'))
        lines.append(line if keeps else "")
    return "\n".join(lines)


def _is_allowed(path: str, text: str) -> bool:
    return any(fnmatch(path, one.files) and one.compiled.match(text) for one in EXCEPTIONS)


def check(path: str, source: str) -> Iterator[Found]:
    """Find the words in one file; `path` is relative to the project's folder."""
    text = _without_translations(source) if path.endswith(".po") else source
    lowered, kind = text.lower(), _kind(path)
    texts: set[int] | None = None
    for word in WORDS:
        if not any(needle in lowered for needle in word.needles):
            continue
        if word.files and not any(fnmatch(path, one) for one in word.files):
            continue
        for match in word.pattern.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            here = kind
            if path.endswith(".py") and word.where != EVERYWHERE:
                texts = _lines_of_texts(source) if texts is None else texts
                here = PAGES if line in texts else kind
            if here in word.where and not _is_allowed(path, match[0]):
                yield Found(path, line, match[0], word.instead)


def main() -> int:
    """Print what was found; returns the exit status."""
    found: list[Found] = []
    for file in _files():
        path = file.relative_to(BASE)
        if _is_old_migration(path.parts):
            continue
        if path.suffix == ".py" and path.stem in FILE_NAMES:
            found.append(Found(str(path), 1, path.stem, FILE_NAMES[path.stem]))
        found += check(path.as_posix(), file.read_text(encoding="utf-8"))
    for one in found:
        print(one)
    if found:
        print(f"{len(found)} words that have another name here; docs/architecture.md lists them.", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
