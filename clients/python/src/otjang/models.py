"""What the API tells, as dataclasses. Each keeps the whole answer in `raw`: newer sites may say more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from otjang.errors import FieldError, field_errors

Json = Mapping[str, Any]


def _when(said: str | None) -> datetime | None:
    return datetime.fromisoformat(said) if said else None


@dataclass(frozen=True, slots=True)
class Value:
    """A value of an attribute, and who says it.

    Attributes:
        value: its code; None where there is none.
        label: what people call it, by language (`ko`, `en`).
        state: `unset`, `proposed`, `auto`, `decided` or `not_applicable`.
        source: who says it: `human`, `api_key`, `model`, `auto` or `import`.
        channel: where it was decided.
        confidence: of the model, from 0 to 1.
        model: the model version that says it.
    """

    value: str | None
    label: Mapping[str, str] | None
    state: str
    source: str | None
    channel: str | None
    confidence: float | None
    decided_by: str | None
    decided_at: datetime | None
    model: str | None
    raw: Json = field(repr=False, compare=False)

    @classmethod
    def of(cls, body: Json) -> Self:
        """Read an answer."""
        return cls(
            value=body.get("value"),
            label=body.get("label"),
            state=body.get("state", ""),
            source=body.get("source"),
            channel=body.get("channel"),
            confidence=body.get("confidence"),
            decided_by=body.get("decided_by"),
            decided_at=_when(body.get("decided_at")),
            model=body.get("model"),
            raw=body,
        )


@dataclass(frozen=True, slots=True)
class Image:
    """An image of a product, and how far it is classified.

    Attributes:
        state: of its classification: `queued`, `running`, `done`, `failed` or `cancelled`; None before the first.
        error: why it failed or waits.
        urls: by kind (`original`, `display`, `thumbnail`); they need the key.
    """

    id: str
    name: str
    state: str | None
    error: str | None
    urls: Mapping[str, str]
    raw: Json = field(repr=False, compare=False)

    @classmethod
    def of(cls, body: Json) -> Self:
        """Read an answer."""
        job = body.get("classification") or {}
        error = job.get("error")
        return cls(
            id=body["id"],
            name=body.get("name", ""),
            state=job.get("state"),
            error=error.get("code") if isinstance(error, Mapping) else error,
            urls=body.get("urls") or {},
            raw=body,
        )


@dataclass(frozen=True, slots=True)
class Upload:
    """What became of one file: the stored image, or the code and sentence of its refusal."""

    name: str
    image: Image | None
    code: str | None
    detail: str | None

    @classmethod
    def of(cls, body: Json) -> Self:
        """Read an answer."""
        image, error = body.get("image"), body.get("error") or {}
        return cls(body.get("name", ""), Image.of(image) if image else None, error.get("code"), error.get("detail"))


@dataclass(frozen=True, slots=True)
class Product:
    """A product.

    Attributes:
        status: `draft`, `classifying`, `to_review`, `published` or `archived`.
        attributes: the current values by the attribute's code.
        images: empty in lists, which do not have them.
        uploads: what became of the files that were sent along; empty in all other answers.
        etag: for `if_match`; None in lists.
    """

    id: str
    name: str
    sku: str | None
    status: str
    top_category: str | None
    version: int
    attributes: Mapping[str, Value]
    images: tuple[Image, ...]
    uploads: tuple[Upload, ...]
    etag: str | None
    raw: Json = field(repr=False, compare=False)

    @property
    def is_classifying(self) -> bool:
        """Whether images of it are still looked at."""
        return self.status == "classifying"

    @classmethod
    def of(cls, body: Json, etag: str | None = None) -> Self:
        """Read an answer."""
        return cls(
            id=body["id"],
            name=body.get("name", ""),
            sku=body.get("sku"),
            status=body.get("status", ""),
            top_category=body.get("top_category"),
            version=body.get("version", 0),
            attributes={code: Value.of(value) for code, value in (body.get("attributes") or {}).items()},
            images=tuple(Image.of(image) for image in body.get("images") or ()),
            uploads=tuple(Upload.of(upload) for upload in body.get("uploads") or ()),
            etag=etag,
            raw=body,
        )


@dataclass(frozen=True, slots=True)
class Task:
    """Something that goes on in the background: a request to classify, an operation."""

    id: str
    state: str
    raw: Json = field(repr=False, compare=False)

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will become of it."""
        return self.state in {"done", "failed", "cancelled"}

    @classmethod
    def of(cls, body: Json) -> Self:
        """Read an answer."""
        return cls(str(body.get("id", "")), body.get("state", ""), body)


@dataclass(frozen=True, slots=True)
class Found:
    """What was found in one image that nobody stores, as `manage.py classify` writes it.

    Attributes:
        garments: with their boxes and the values that models say.
        error: code and sentence, where the file could not be looked at.
    """

    file: str
    garments: tuple[Json, ...]
    error: Json | None
    raw: Json = field(repr=False, compare=False)

    @classmethod
    def of(cls, body: Json) -> Self:
        """Read an answer."""
        return cls(body.get("file", ""), tuple(body.get("garments") or ()), body.get("error"), body)


@dataclass(frozen=True, slots=True)
class Line:
    """What became of one product of many.

    Attributes:
        outcome: `created`, `updated`, `unchanged` or `refused`.
        id: the product's; None where the line was refused.
        errors: why it was.
    """

    outcome: str
    id: str | None
    sku: str
    errors: tuple[FieldError, ...]
    raw: Json = field(repr=False, compare=False)

    @classmethod
    def of(cls, body: Json) -> Self:
        """Read an answer."""
        return cls(body["status"], body.get("id"), body.get("sku", ""), field_errors(body), body)
