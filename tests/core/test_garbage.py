"""What requests leave in circles is gone before the next one is answered."""

import gc
import weakref

import pytest
from django.core.signals import request_started

from core import startup

pytestmark = pytest.mark.django_db


@pytest.fixture
def collected_between_requests():
    thresholds = gc.get_threshold()
    startup.collect_between_requests()
    yield
    request_started.disconnect(startup._collect)
    gc.set_threshold(*thresholds)


class Circle:
    """It refers to itself, so that counting references never frees it."""

    def __init__(self):
        self.self = self


def test_the_next_request_frees_what_the_last_one_left(client, collected_between_requests):
    left = weakref.ref(Circle())
    assert left() is not None
    client.get("/healthz")
    assert left() is None
