"""What the schema shows as examples of webhooks and deliveries."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample

_WHEN = "2026-11-27T14:39:59.120034+09:00"
ENDPOINT: dict[str, Any] = {
    "id": "w5d8k2n7q0r3t6v9x1z4",
    "url": "https://shop.example/otjang",
    "description": "till",
    "events": ["product.published"],
    "active": True,
    "off_reason": "",
    "failing_since": None,
    "last_delivered_at": _WHEN,
    "previous_secret_until": None,
    "created_at": _WHEN,
}
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - nobody's
DELIVERY: dict[str, Any] = {
    "id": "d2f6h9k3m7p0s4v8x1z5",
    "event": {"id": "msg_7c0d2k9x4v", "type": "product.published", "created_at": _WHEN},
    "product": "70pf28xnx4hv0vm239at",
    "state": "delivered",
    "attempts": 1,
    "next_attempt_at": None,
    "answers": [{"at": _WHEN, "status": 204, "error": "", "milliseconds": 41, "body": ""}],
    "created_at": _WHEN,
    "finished_at": _WHEN,
}


def shown(value: dict[str, Any], **more: Any) -> list[OpenApiExample]:
    """Return the example of what is answered, for `extend_schema_serializer`."""
    return [OpenApiExample("Answer", value=value | more, response_only=True, status_codes=["200", "201", "202"])]
