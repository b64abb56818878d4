"""Calls to addresses that callers name reach nothing that is not public, and end in time."""

import socket
import threading

import pytest

from core import outgoing
from core.errors import Invalid
from core.outgoing import CallFailed, Limits
from tests.support.receivers import receiving

LIMITS = Limits(seconds=5, size=1000, redirects=3)


def code_of(url, limits=LIMITS):
    with pytest.raises(CallFailed) as caught:
        outgoing.call("GET", url, limits=limits)
    assert caught.value.message
    return caught.value.code


@pytest.fixture
def names(monkeypatch):
    """What host names mean here, each time that they are asked for."""
    known = {}
    real = socket.getaddrinfo

    def look_up(host, port, *args, **kwargs):
        if host not in known:
            return real(host, port, *args, **kwargs)
        found = known[host]
        addresses = found.pop(0) if isinstance(found[0], list) and len(found) > 1 else found
        addresses = addresses[0] if isinstance(addresses[0], list) else addresses
        return [
            (socket.AF_INET6 if ":" in one else socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port))
            for one in addresses
        ]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return known


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.1.2.3",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "168.63.129.16",
        "224.0.0.1",
        "255.255.255.255",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:169.254.169.254]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::1]",
        "[fe80::1]",
        "[fec0::1]",
        "[fd00:ec2::254]",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "127.1",
        "localhost",
    ],
)
def test_no_address_inside_is_called(address):
    assert code_of(f"http://{address}:9/") == "url_forbidden"


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://example.com/a",
        "gopher://example.com/",
        "//example.com/",
        "http://",
        "http://[::1",
        "https://example.com:99999/",
        "https://exa mple.com/",
        "https://example.com/\nHost: x",
        "https://example.com/" + "a" * 2000,
    ],
)
def test_only_http_is_spoken(url):
    assert code_of(url) == "url_invalid"
    with pytest.raises(Invalid):
        outgoing.check_url(url)


def test_passwords_in_addresses_are_refused():
    assert code_of("https://a:b@example.com/") == "url_credentials"


def test_an_address_inside_is_refused_before_it_is_called():
    with pytest.raises(Invalid) as refused:
        outgoing.check_url("http://169.254.169.254/latest/meta-data/")
    assert refused.value.code == "url_forbidden"


def test_one_address_inside_is_enough_to_refuse_a_name(names):
    names["both.example"] = ["93.184.216.34", "10.0.0.1"]
    assert code_of("http://both.example/") == "url_forbidden"


def test_a_name_is_asked_for_once(names, monkeypatch):
    """What it means a moment later is not what is connected to."""
    names["rebinding.example"] = [["93.184.216.34"], ["127.0.0.1"]]
    tried = []

    def refuse(self, *args, **kwargs):
        tried.append(self.host)
        raise ConnectionRefusedError

    monkeypatch.setattr("urllib3.connection.HTTPConnection.connect", refuse)
    assert code_of("http://rebinding.example/") == "unreachable"
    assert tried == ["93.184.216.34"]


def test_a_proxy_of_the_environment_does_not_connect_for_us(monkeypatch, settings):
    settings.OTJANG_OUTGOING_ALLOWED = ["127.0.0.0/8"]
    with receiving(200) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        assert code_of("http://10.0.0.1/") == "url_forbidden"
    assert proxy.calls == []


@pytest.mark.parametrize("entry", ["127.0.0.1", "127.0.0.0/8", "inside.example", "INSIDE.example"])
def test_what_is_allowed_is_called(names, settings, entry):
    names["inside.example"] = ["127.0.0.1"]
    settings.OTJANG_OUTGOING_ALLOWED = [entry]
    with receiving(lambda call: (200, {}, [b"here"])) as receiver:
        answer = outgoing.call("POST", f"http://inside.example:{receiver.port}/a?b=c", limits=LIMITS, body=b"said")
    assert (answer.status, answer.body) == (200, b"here")
    (call,) = receiver.calls
    assert (call.method, call.path, call.body) == ("POST", "/a?b=c", b"said")
    assert call.headers["host"] == f"inside.example:{receiver.port}"
    assert call.headers["user-agent"].startswith("Otjang")


def test_redirects_are_checked_like_the_first_address(settings):
    settings.OTJANG_OUTGOING_ALLOWED = ["127.0.0.1"]
    for target, code in [
        ("http://10.0.0.1/", "url_forbidden"),
        ("http://169.254.169.254/latest/", "url_forbidden"),
        ("file:///etc/passwd", "url_invalid"),
        ("/again", "too_many_redirects"),
    ]:
        with receiving(lambda call, target=target: (302, {"Location": target}, [])) as receiver:
            assert code_of(receiver.url) == code
        assert len(receiver.calls) <= 4


def test_a_redirect_is_followed_only_where_that_is_meant(settings):
    settings.OTJANG_OUTGOING_ALLOWED = ["127.0.0.1"]

    def answer(call):
        return (302, {"Location": "/b"}, []) if call.path == "/a" else (200, {}, [b"b"])

    with receiving(answer) as receiver:
        assert outgoing.call("GET", f"{receiver.url}/a", limits=LIMITS).body == b"b"
        stays = outgoing.call("GET", f"{receiver.url}/a", limits=Limits(seconds=5, size=100))
    assert stays.status == 302


def test_large_answers_are_refused_or_cut(settings):
    settings.OTJANG_OUTGOING_ALLOWED = ["127.0.0.1"]
    with receiving(lambda call: (200, {}, [b"x" * 600] * 500)) as receiver:
        assert code_of(receiver.url) == "answer_too_large"
        cut = outgoing.call("GET", receiver.url, limits=Limits(seconds=5, size=1000, cut=True))
    assert len(cut.body) == 1000


@pytest.mark.parametrize("size", [b"-1", b"-5", b"-ffffffff"])
def test_a_chunk_of_less_than_nothing_is_not_read_to_the_end(settings, size):
    settings.OTJANG_OUTGOING_ALLOWED = ["127.0.0.1"]
    sent = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer():
            connected, _address = listening.accept()
            with connected:
                connected.recv(65536)
                connected.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + size + b"\r\n")
                try:
                    while len(sent) < 64:
                        connected.sendall(b"x" * 2**20)
                        sent.append(1)
                except OSError:
                    return

        server = threading.Thread(target=answer)
        server.start()
        assert code_of(f"http://127.0.0.1:{listening.getsockname()[1]}/", Limits(10, 1000, cut=True)) == "unreachable"
        server.join()
    assert len(sent) < 64


def test_an_answer_that_drips_ends_in_time(settings):
    settings.OTJANG_OUTGOING_ALLOWED = ["127.0.0.1"]
    gone = threading.Event()

    def dripping():
        while not gone.wait(0.05):
            yield b"x"

    with receiving(lambda call: (200, {}, dripping())) as receiver:
        assert code_of(receiver.url, Limits(seconds=0.4, size=1000)) == "timed_out"
        gone.set()


def test_a_head_that_drips_ends_in_time(settings):
    settings.OTJANG_OUTGOING_ALLOWED = ["127.0.0.1"]
    gone = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip():
            connection, _address = server.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
                while not gone.wait(0.05):
                    try:
                        connection.sendall(b"x")
                    except OSError:
                        return

        thread = threading.Thread(target=drip)
        thread.start()
        port = server.getsockname()[1]
        assert code_of(f"http://127.0.0.1:{port}/", Limits(seconds=0.4, size=1000)) == "timed_out"
        gone.set()
        thread.join()


def test_a_server_that_is_not_there(settings, names):
    settings.OTJANG_OUTGOING_ALLOWED = ["127.0.0.1"]
    with receiving() as receiver:
        url = receiver.url
    assert code_of(url) == "unreachable"
    assert code_of("http://no-such-host.invalid/") == "host_unknown"
