"""What the schema shows as examples: one product on its way through the API."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample

PRODUCT = "70pf28xnx4hv0vm239at"
IMAGE = "bjc41ndk5c8rjqz36ext"
SITE = "http://localhost:8000"

VALUE: dict[str, Any] = {
    "value": "Jacket",
    "label": {"ko": "재킷", "en": "Jacket"},
    "state": "proposed",
    "source": "model",
    "channel": None,
    "confidence": 0.9131,
    "decided_by": None,
    "decided_at": None,
    "model": "category-2026.11",
}
DECIDED: dict[str, Any] = {
    "value": "woven",
    "label": {"ko": "우븐", "en": "Woven"},
    "state": "decided",
    "source": "api_key",
    "channel": "api",
    "confidence": None,
    "decided_by": "till",
    "decided_at": "2026-11-27T14:40:11.361494+09:00",
    "model": None,
}
UNSET: dict[str, Any] = dict.fromkeys(VALUE) | {"state": "unset"}
PROPOSED: dict[str, Any] = VALUE | {
    "calibrated": True,
    "alternatives": [{"value": "Jumper", "label": {"ko": "점퍼", "en": "Casual jacket"}, "confidence": 0.0137}],
}
CLASSIFICATION: dict[str, Any] = {
    "state": "done",
    "error": None,
    "queued_at": "2026-11-27T14:39:58.120034+09:00",
    "started_at": "2026-11-27T14:39:58.310277+09:00",
    "finished_at": "2026-11-27T14:39:59.022910+09:00",
}
SHOWN_IMAGE: dict[str, Any] = {
    "id": IMAGE,
    "name": "front.jpg",
    "width": 1200,
    "height": 1600,
    "size": 184320,
    "position": 0,
    "created_at": "2026-11-27T14:39:58.112020+09:00",
    "archived_at": None,
    "urls": {
        "original": f"{SITE}/media/{IMAGE}/original",
        "display": f"{SITE}/media/{IMAGE}/display",
        "thumbnail": f"{SITE}/media/{IMAGE}/thumbnail",
    },
    "classification": CLASSIFICATION,
    "garments": [
        {
            "box": [0.0468, 0.2147, 0.9129, 0.7386],
            "confidence": 0.969,
            "attributes": {"category": PROPOSED},
            "hidden": ["sleeve_length"],
        }
    ],
}
SUMMARY: dict[str, Any] = {
    "id": PRODUCT,
    "name": "Oversized denim jacket",
    "sku": "AJ-1043",
    "status": "to_review",
    "top_category": "Outer",
    "top_category_source": "auto",
    "version": 3,
    "created_at": "2026-11-27T14:39:58.110284+09:00",
    "updated_at": "2026-11-27T14:39:59.040118+09:00",
    "published_at": None,
    "archived_at": None,
    "attributes": {"category": VALUE, "material": DECIDED, "sleeve_length": UNSET},
    "image_count": 1,
    "failed_images": 0,
    "thumbnail": f"{SITE}/media/{IMAGE}/thumbnail",
}
DETAIL: dict[str, Any] = SUMMARY | {
    "proposal": [
        {
            "top_category": "Outer",
            "confidence": 0.9007,
            "images": 1,
            "total": 1,
            "reasons": [{"code": "found", "images": 1, "total": 1, "word": ""}],
            "attributes": {"category": PROPOSED},
        }
    ],
    "images": [SHOWN_IMAGE],
    "same_images_in": [],
}
UPLOAD: dict[str, Any] = {
    "name": "front.jpg",
    "outcome": "stored",
    "image": SHOWN_IMAGE | {"classification": CLASSIFICATION | {"state": "queued"}, "garments": []},
    "error": None,
    "same_image_in": [],
}
NOT_AN_IMAGE: dict[str, Any] = {
    "name": "notes.jpg",
    "outcome": "refused",
    "image": None,
    "error": {
        "code": "not_an_image",
        "detail": "This is not a photo. Send JPEG, PNG, WebP, …",
    },
    "same_image_in": [],
}
FETCH: dict[str, Any] = {
    "id": "x3k9d0w7m2q8r5t1v6z4",
    "url": "https://shop.example/front.jpg",
    "state": "waiting",
    "error": None,
    "image": None,
    "created_at": "2026-11-27T14:39:58.110284+09:00",
    "finished_at": None,
}
DECISION: dict[str, Any] = {"attribute": "material", "kind": "set", **DECIDED, "reason": "The label says so."}
ATTRIBUTE: dict[str, Any] = {
    "code": "material",
    "label": {"ko": "소재", "en": "Material"},
    "applies_to": [],
    "values": [
        {"code": "denim", "label": {"ko": "데님", "en": "Denim"}, "parent": None, "active": True, "merged_into": None}
    ],
}


def answer(value: Any, name: str = "Answer", *statuses: int) -> OpenApiExample:
    """Return an example of what an operation answers, with these statuses or whatever good one."""
    return OpenApiExample(name, value=value, response_only=True, status_codes=[str(one) for one in statuses or (200,)])


def page(entry: Any) -> OpenApiExample:
    """Return an example of one entry of a list; the framework puts it into a page."""
    return OpenApiExample("A page", value=entry, response_only=True, status_codes=["200"])


def said(value: Any, name: str = "Request") -> OpenApiExample:
    """Return an example of what is sent as JSON."""
    return OpenApiExample(name, value=value, request_only=True, media_type="application/json")


def form(value: Any, name: str = "Form") -> OpenApiExample:
    """Return an example of what is sent as a form; a file is its name."""
    return OpenApiExample(name, value=value, request_only=True, media_type="multipart/form-data")
