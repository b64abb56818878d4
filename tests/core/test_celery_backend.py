"""Sending tasks by Celery: what a message holds, and how little a broker that is away holds up."""

import json
import socketserver
import ssl
import threading
from datetime import UTC, datetime, timedelta

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.conf import settings as site
from django.core.exceptions import ImproperlyConfigured

from classifier.jobs.tasks import classify_waiting, wake_worker
from config import tasks
from core import celery_backend
from core.broker import BrokerAway, broker
from core.celery_backend import AWAY_SECONDS, RUN, transport_options
from tests.support import brokers


def test_a_message_is_json_that_names_the_task(settings):
    backend = brokers.use(settings)

    classify_waiting.using(queue_name="bulk").enqueue()

    with backend.app.connection_for_read() as connection:
        message = connection.default_channel.basic_get("bulk", no_ack=True)
    assert message.content_type == "application/json"
    assert message.headers["task"] == RUN
    assert json.loads(message.body)[0] == ["classifier.jobs.tasks.classify_waiting", [], {}]
    assert message.properties["delivery_mode"] == 1  # not written to the broker's disk


def test_tasks_without_a_queue_of_ours_are_not_sent(settings):
    brokers.use(settings)
    with pytest.raises(Exception, match="not valid for backend"):
        classify_waiting.using(queue_name="slow").enqueue()


@pytest.mark.parametrize("url", [brokers.NOWHERE, "amqp://shop:hidden@127.0.0.1:1//"])
def test_a_broker_that_is_away_is_told_in_a_line_without_its_password(settings, caplog, url):
    backend = brokers.use(settings, url)

    wake_worker()

    assert "no worker is woken: the broker is away" in caplog.text
    assert "hidden" not in caplog.text
    assert not backend.answers()
    with pytest.raises(BrokerAway):
        backend.waiting("bulk")


def test_a_broker_that_is_away_is_left_alone_for_a_while(settings, monkeypatch):
    brokers.use(settings)
    now, tried = [1000.0], []

    def away(*_arguments, **_options):
        tried.append(now[0])
        raise OSError("no route to host")

    monkeypatch.setattr(celery_backend.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(broker().app, "send_task", away)
    for _time in range(3):
        wake_worker()
    assert tried == [1000.0]

    now[0] += AWAY_SECONDS
    wake_worker()
    assert tried == [1000.0, 1000.0 + AWAY_SECONDS]


def test_a_broker_that_answers_again_is_used_at_once(settings):
    backend = brokers.use(settings)
    backend._link._away_until = celery_backend.time.monotonic() + 1000

    assert backend.answers()
    wake_worker()

    assert backend.waiting("interactive") == 1


@pytest.mark.parametrize(
    "url", ["redis://localhost/0", "rediss://localhost/0", "amqp://localhost", "amqps://localhost"]
)
def test_nobody_waits_long_for_any_broker(url):
    options = transport_options(url)
    assert options["max_retries"] == 1
    assert options.get("socket_connect_timeout", options.get("write_timeout")) == 2


def test_the_settings_name_the_backend_and_its_broker():
    chosen = tasks.backend("celery", "amqp://shop:secret@broker.example:5672/otjang")
    assert chosen == {
        "BACKEND": "core.celery_backend.CeleryBackend",
        "QUEUES": ["interactive", "bulk"],
        "OPTIONS": {"BROKER_URL": "amqp://shop:secret@broker.example:5672/otjang"},
    }
    assert tasks.seconds("celery") < celery_backend.HEARTBEAT_SECONDS
    assert tasks.worker_queues(["bulk", "interactive"]) == ["interactive", "bulk"]


@pytest.mark.parametrize("url", ["", "kafka://broker.example", "amqp://", "broker.example:5672"])
def test_celery_needs_a_broker_that_is_known(url):
    with pytest.raises(ImproperlyConfigured, match=r"^CELERY_BROKER_URL must be"):
        tasks.backend("celery", url)


def test_it_is_said_where_celery_is_not_installed(monkeypatch):
    monkeypatch.setattr(tasks, "find_spec", lambda _name: None)
    with pytest.raises(ImproperlyConfigured, match=r"requirements-production\.txt"):
        tasks.backend("celery", "redis://localhost/0")


def test_scaling_names_our_queues():
    found = list(yaml.safe_load_all((site.BASE_DIR / "deploy" / "keda.yaml").read_text()))
    scaled = {one["spec"]["triggers"][0]["metadata"]["queueName"] for one in found if one["kind"] == "ScaledObject"}
    assert scaled == set(tasks.QUEUES)
    names = {trigger["authenticationRef"]["name"] for one in found for trigger in one["spec"].get("triggers", ())}
    assert names == {one["metadata"]["name"] for one in found if one["kind"] == "TriggerAuthentication"}


@pytest.fixture
def stranger(tmp_path):
    """A server at localhost whose certificate nobody has signed; yields its port, and why handshakes failed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now, day = datetime.now(UTC), timedelta(days=1)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now - day).not_valid_after(now + day)
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    encoding, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    pem = tmp_path / "server.pem"
    pem.write_bytes(
        key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain)
        + builder.sign(key, hashes.SHA256()).public_bytes(encoding)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    reasons = []

    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            try:
                context.wrap_socket(self.request, server_side=True).recv(1)
                reasons.append("trusted")
            except ssl.SSLError as error:
                reasons.append(error.reason)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1], reasons
        server.shutdown()


@pytest.mark.parametrize("scheme", ["amqps", "rediss"])
def test_a_broker_of_another_is_not_trusted(settings, stranger, scheme):
    port, reasons = stranger

    assert not brokers.use(settings, f"{scheme}://localhost:{port}/0").answers()

    assert set(reasons) == {"TLSV1_ALERT_UNKNOWN_CA"}
