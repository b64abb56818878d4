"""Receivers of this machine may be called."""

import pytest

from tests.support.webhook_endpoints import ALLOWED, receiving


@pytest.fixture(autouse=True)
def _allowed(settings):
    settings.OTJANG_OUTGOING_ALLOWED = ALLOWED


@pytest.fixture
def receiver():
    with receiving() as running:
        yield running
