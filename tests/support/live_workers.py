"""A worker in a thread of the test, beside the site's own server."""

import threading
from contextlib import contextmanager

from django.db import connections

from classifier.jobs import batches
from classifier.jobs.answering import Answering

LOOK_SECONDS = 0.02


@contextmanager
def running_worker():
    """Classify what comes, stored or not, until the block ends; an error there ends the block with it."""
    stop = threading.Event()
    errors = []
    answer = Answering()

    def work():
        try:
            while not stop.wait(LOOK_SECONDS):
                answer(stop)
                batches.classify_waiting()
        except Exception as error:
            errors.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(20)
        assert errors == []
        assert not thread.is_alive()
