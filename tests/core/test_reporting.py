"""What Sentry is told of what breaks, as a transport in memory gets it."""

import json
import logging

import pytest
import sentry_sdk
from sentry_sdk.transport import Transport

from config import reporting
from core import logs
from tests.support.live_servers import application, running_server


class Kept(Transport):
    """Keeps what would be sent."""

    def __init__(self):
        super().__init__()
        self.reports = []

    def capture_envelope(self, envelope):
        self.reports += [item.payload.json for item in envelope.items if item.type == "event"]


@pytest.fixture
def reports(settings):
    """Return what was reported."""
    settings.SENTRY_DSN = "http://public@sentry.invalid/1"
    settings.SENTRY_ENVIRONMENT = "tests"
    transport = Kept()
    reporting.start(transport)
    yield transport.reports
    sentry_sdk.get_global_scope().set_client(None)
    logs.begin()


@pytest.fixture
def broken(db, monkeypatch):
    """Let an address break that was asked for with secrets all over."""

    def breaks():
        password = "hunter2"
        raise RuntimeError(f"mysql://otjang:{password}@db.internal/otjang for kim@shop.example")

    monkeypatch.setattr("config.views.database_problem", breaks)
    headers = {"Authorization": "Bearer otj_secret-key", "Cookie": "sessionid=secret-session", "X_Request_ID": "r-1"}
    with running_server(application) as site:
        assert site.ask("GET", "/healthz?q=secret-word", **headers).status == 500


def test_what_broke_is_reported_with_the_request_s_id(reports, broken):
    (report,) = reports
    assert report["environment"] == "tests"
    assert report["exception"]["values"][-1]["type"] == "RuntimeError"
    assert report["tags"]["request"] == "r-1"
    assert report["request"] == {"method": "GET", "url": "http://localhost/healthz"}


def test_nothing_secret_is_in_it(reports, broken):
    text = json.dumps(reports)
    for secret in ("hunter2", "secret", "kim@", "127.0.0.1", "otj_"):
        assert secret not in text
    assert "[hidden]" in text


def test_errors_that_a_worker_logs_name_their_jobs(reports):
    with logs.about(jobs=[7, 8], images=["a"]):
        logging.getLogger("classifier.jobs").error("a batch broke off for kim@shop.example")
        logging.getLogger("classifier.jobs").warning("this is none")
    (report,) = reports
    assert (report["tags"]["jobs"], report["tags"]["images"]) == ("7, 8", "a")
    assert "kim" not in json.dumps(report)


def test_without_a_dsn_nothing_starts(settings):
    reporting.start()
    assert not sentry_sdk.get_client().is_active()
