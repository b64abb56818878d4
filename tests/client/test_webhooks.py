"""The client checks webhooks as the library of Standard Webhooks does."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks.webhooks import Webhook

import otjang

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_Nzc3NzgzODM4OTg5OTA5MDkxOTE5Mjky"
BODY = json.dumps(
    {"type": "product.classified", "timestamp": "2026-11-27T09:00:00+00:00", "data": {"product": {"id": "p"}}}
)


def signed(secret=SECRET, body=BODY, when=None):
    when = when or datetime.now(UTC)
    return {
        "Webhook-Id": "msg_1",
        "Webhook-Timestamp": str(int(when.timestamp())),
        "Webhook-Signature": Webhook(secret).sign("msg_1", when, body),
    }


def test_what_the_site_signed_is_read():
    event = otjang.webhooks.verify(BODY.encode(), signed(), SECRET)
    assert (event.id, event.type, event.data) == ("msg_1", "product.classified", {"product": {"id": "p"}})
    assert event.timestamp == datetime(2026, 11, 27, 9, tzinfo=UTC)


def test_during_a_rotation_either_secret_will_do():
    headers = signed()
    headers["Webhook-Signature"] += " " + signed(OTHER)["Webhook-Signature"]
    assert otjang.webhooks.verify(BODY, headers, OTHER).id == "msg_1"
    assert otjang.webhooks.verify(BODY, signed(), OTHER, SECRET).id == "msg_1"


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (BODY, signed(OTHER)),
        (BODY + " ", signed()),
        (BODY, signed(when=datetime.now(UTC) - timedelta(minutes=6))),
        (BODY, signed() | {"Webhook-Id": "msg_2"}),
        (BODY, signed() | {"Webhook-Timestamp": "now"}),
        (BODY, signed() | {"Webhook-Signature": "v1a,abc"}),
        (BODY, {}),
    ],
)
def test_everything_else_is_refused(body, headers):
    with pytest.raises(otjang.InvalidWebhook):
        otjang.webhooks.verify(body, headers, SECRET)
