"""Checking that a webhook comes from the site: its signature and its age, as Standard Webhooks has them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from otjang.errors import InvalidWebhook

TOLERANCE_SECONDS = 5 * 60
_PREFIX = "whsec_"


@dataclass(frozen=True, slots=True)
class Event:
    """What the site tells.

    Attributes:
        id: the same whenever it is sent again; what was dealt with under an id need not be again.
        type: such as `product.classified`.
        timestamp: when it happened.
        data: what happened to what.
    """

    id: str
    type: str
    timestamp: datetime
    data: Mapping[str, Any]


def verify(body: bytes | str, headers: Mapping[str, str], *secrets: str) -> Event:
    """Return the event in a request, if one of the secrets has signed it.

    Args:
        body: exactly the bytes that came.
        headers: of the request, in any spelling.
        secrets: the endpoint's, `whsec_…`; during a rotation both.

    Raises:
        InvalidWebhook: headers are missing, no signature is right, or it was sent more than five minutes ago.
    """
    raw = body.encode() if isinstance(body, str) else body
    said = {name.lower(): value for name, value in headers.items()}
    try:
        message, sent, signatures = (said[f"webhook-{name}"] for name in ("id", "timestamp", "signature"))
        seconds = int(sent)
    except (KeyError, ValueError) as error:
        raise InvalidWebhook("The headers webhook-id, webhook-timestamp and webhook-signature are needed.") from error
    if abs(time.time() - seconds) > TOLERANCE_SECONDS:
        raise InvalidWebhook("It was sent too long ago, or the clocks differ.")
    signed = b".".join((message.encode(), sent.encode(), raw))
    given = [one.partition(",")[2] for one in signatures.split() if one.startswith("v1,")]
    expected = [_signature(secret, signed) for secret in secrets]
    if not any(hmac.compare_digest(one.encode(), other.encode()) for one in given for other in expected):
        raise InvalidWebhook("No signature is right.")
    told = json.loads(raw)
    return Event(message, told["type"], datetime.fromisoformat(told["timestamp"]), told.get("data") or {})


def _signature(secret: str, signed: bytes) -> str:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("A secret begins with whsec_, and the rest is Base64.") from error
    return base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
