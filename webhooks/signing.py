"""Signatures by the specification of Standard Webhooks: receivers check them with its libraries."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets as randomness
from collections.abc import Iterable

_PREFIX = "whsec_"
_BYTES = 32


def new_secret() -> str:
    """Return a secret as its owner copies it."""
    return _PREFIX + base64.b64encode(randomness.token_bytes(_BYTES)).decode()


def headers_of(*, message_id: str, timestamp: int, body: bytes, secrets: Iterable[str]) -> dict[str, str]:
    """Return the headers of one message.

    Args:
        message_id: the same for all attempts.
        timestamp: of this attempt, in seconds; receivers refuse what is older than some minutes.
        body: exactly as it is sent.
        secrets: each of them signs.
    """
    signed = b".".join((message_id.encode(), str(timestamp).encode(), body))
    signatures = []
    for secret in secrets:
        key = base64.b64decode(secret.removeprefix(_PREFIX))
        signatures.append("v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode())
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }
