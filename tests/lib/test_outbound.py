"""Requests over real sockets; only the answers of DNS are made up."""

from __future__ import annotations

import socket
import ssl
import time
from datetime import UTC, datetime, timedelta
from itertools import repeat

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from leadvibe.lib.outbound import AddressRefusedError, Outbound, UnreachableError
from leadvibe.lib.outbound.client import MOST_BYTES
from tests.standins.web_server import Told, WebServer, running

NAME = "hooks.example.com"


@pytest.fixture
def server():
    with running(WebServer()) as server:
        yield server


@pytest.fixture
def resolve(monkeypatch):
    """Return a way to say what DNS answers, one list of addresses after the other."""
    asked = []

    def answers(*answers):
        real, left = socket.getaddrinfo, list(answers)

        def fake(host, port, *args, **kwargs):
            if host[0].isdigit() or ":" in host:
                return real(host, port, *args, **kwargs)
            asked.append(host)
            found = left.pop(0) if len(left) > 1 else left[0]
            return [
                (socket.AF_INET6 if ":" in each else socket.AF_INET, 1, 6, "", (each, port))
                for each in found
            ]

        monkeypatch.setattr(socket, "getaddrinfo", fake)
        return asked

    return answers


def anywhere(**options) -> Outbound:
    return Outbound(allow_private=True, **options)


def guarded() -> Outbound:
    return Outbound(allow_private=False)


def test_a_request_arrives_as_it_was_made(server):
    server.always(Told(201, "Grüße".encode(), {"X-Answer": "yes"}))

    answer = anywhere().post(
        f"{server.url}/a%20b?c=d#e", body=b"{}", headers={"Content-Type": "text/x", "X-One": "1"}
    )

    [asked] = server.asked
    assert (asked.method, asked.path, asked.body) == ("POST", "/a%20b?c=d", b"{}")
    assert asked.headers["host"] == f"127.0.0.1:{server.port}"
    assert (asked.headers["content-type"], asked.headers["x-one"]) == ("text/x", "1")
    assert (answer.status, answer.text) == (201, "Grüße")
    assert answer.headers["x-answer"] == answer.headers["X-ANSWER"] == "yes"


def test_other_methods_need_no_body(server):
    anywhere().request("GET", server.url, headers={})

    [asked] = server.asked
    assert (asked.method, asked.path, asked.body) == ("GET", "/", b"")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_nothing_is_said_to_a_private_address(server, host):
    with pytest.raises(AddressRefusedError, match="private address"):
        guarded().post(f"http://{host}:{server.port}/", body=b"", headers={})

    assert server.asked == []


def test_what_the_installation_itself_trusts_may_be_private(server):
    guarded().request("GET", server.url, headers={}, may_be_private=True)

    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["1.1.1.1", "127.0.0.1"], ["::ffff:127.0.0.1"], ["1.1.1.1", "fd00:ec2::254"]],
)
def test_a_name_is_refused_when_any_of_its_addresses_is_private(server, resolve, addresses):
    resolve(addresses)

    with pytest.raises(AddressRefusedError):
        guarded().post(f"http://{NAME}:{server.port}/", body=b"", headers={})

    assert server.asked == []


def test_dns_is_asked_once_so_that_it_cannot_answer_differently_later(server, resolve, monkeypatch):
    asked = resolve(["1.1.1.1"], ["127.0.0.1"])
    connect, reached = socket.socket.connect, []

    def noting(self, where):
        if self.family == socket.AF_UNIX:  # our own servers, in other threads
            return connect(self, where)
        return reached.append(where)

    monkeypatch.setattr(socket.socket, "connect", noting)

    with pytest.raises(UnreachableError):
        guarded().post(f"http://{NAME}:{server.port}/", body=b"", headers={}, timeout_seconds=0.1)

    assert asked == [NAME]
    assert reached == [("1.1.1.1", server.port)]


def test_a_name_is_told_to_its_server(server, resolve):
    resolve(["127.0.0.1"])

    anywhere().post(f"http://{NAME}:{server.port}/", body=b"", headers={})

    assert server.asked[0].headers["host"] == f"{NAME}:{server.port}"


def test_the_next_address_is_tried_when_nothing_answers_at_the_first(server, resolve):
    resolve(["127.0.0.2", "127.0.0.1"])

    answer = anywhere().post(f"http://{NAME}:{server.port}/", body=b"", headers={})

    assert answer.status == 200


def test_an_unknown_name_may_become_known(monkeypatch):
    def fail(*_args, **_kwargs):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)

    with pytest.raises(UnreachableError) as unreachable:
        guarded().post(f"https://{NAME}/", body=b"", headers={})

    assert unreachable.value.reason == f"the host name {NAME} is not known"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_answers_and_not_followed(server, status):
    server.always(Told(status, headers={"Location": f"{server.url}/secret"}))

    answer = anywhere().post(server.url, body=b"", headers={})

    assert answer.status == status
    assert len(server.asked) == 1


def test_a_url_with_a_user_is_refused_before_anything_is_sent(server):
    with pytest.raises(AddressRefusedError, match="user name"):
        anywhere().post(server.url.replace("//", "//user:word@"), body=b"", headers={})

    assert server.asked == []


def test_proxies_of_the_environment_are_not_used(server, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    assert anywhere().post(server.url, body=b"", headers={}).status == 200


def test_nothing_listening_is_told():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]

    with pytest.raises(UnreachableError) as unreachable:
        anywhere().post(f"http://127.0.0.1:{port}/", body=b"", headers={})

    assert unreachable.value.reason == "nothing answers at its address"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_silent_server_is_not_waited_for_long(scheme):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"{scheme}://127.0.0.1:{silent.getsockname()[1]}/"
        with pytest.raises(UnreachableError) as unreachable:
            anywhere().post(url, body=b"", headers={}, timeout_seconds=0.1)

    assert unreachable.value.reason == "the server did not answer within 0.1 seconds"


@pytest.mark.parametrize(
    "beginning", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 100 Continue\r\n\r\n" * 3]
)
def test_a_server_that_drips_its_headers_is_cut_off(server, beginning):
    server.always(Told(raw=_dripping(beginning + b"X")))
    began = time.monotonic()

    with pytest.raises(UnreachableError, match=r"within 0\.2 seconds"):
        anywhere().post(server.url, body=b"", headers={}, timeout_seconds=0.2)

    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    "head", [b"Content-Length: 9999", b"Connection: close", b"Transfer-Encoding: chunked"]
)
def test_a_body_that_drips_counts_as_answered(server, head):
    server.always(Told(raw=_dripping(b"HTTP/1.1 202 Accepted\r\n" + head + b"\r\n\r\n")))
    began = time.monotonic()

    answer = anywhere().post(server.url, body=b"", headers={}, timeout_seconds=0.5)

    assert answer.status == 202
    assert time.monotonic() - began < 10


def test_a_server_that_hangs_up_is_told(server):
    server.always(Told(raw=iter([b"HTTP/1.1 2"])))

    with pytest.raises(UnreachableError) as unreachable:
        anywhere().post(server.url, body=b"", headers={})

    assert unreachable.value.reason == "the server broke off the connection"


@pytest.mark.parametrize(
    "raw",
    [
        [b"HTTP/1.1 200 OK\r\n", *([b"X: " + b"x" * 1000 + b"\r\n"] * 200), b"\r\n"],
        [b"HTTP/1.1 200 OK\r\nX: ", *([b"x" * 10_000] * 20), b"\r\n\r\n"],
        [b"SSH-2.0-OpenSSH_9.6\r\n"],
        [b"\x00" * 100_000],
    ],
)
def test_what_is_not_http_is_told_as_a_broken_connection(server, raw):
    server.always(Told(raw=iter(raw)))

    with pytest.raises(UnreachableError, match="broke off"):
        anywhere().post(server.url, body=b"", headers={})


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"", b"x" * 8_192),
        (b"Transfer-Encoding: chunked\r\n", b"2000\r\n" + b"x" * 8_192 + b"\r\n"),
    ],
)
def test_an_endless_body_is_read_only_so_far(server, head, piece):
    beginning = b"HTTP/1.1 200 OK\r\n" + head + b"\r\n"
    server.always(Told(raw=(part for parts in ([beginning], repeat(piece)) for part in parts)))

    answer = anywhere().post(server.url, body=b"", headers={})

    assert answer.text == "x" * MOST_BYTES


def test_an_endless_length_of_a_chunk_is_not_read(server):
    beginning = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    server.always(
        Told(raw=(part for parts in ([beginning], repeat(b"0" * 9_999)) for part in parts))
    )
    began = time.monotonic()

    assert anywhere().post(server.url, body=b"", headers={}).text == ""
    assert time.monotonic() - began < 10


def test_text_is_what_a_database_can_hold(server):
    server.always(Told(body=b"a\x00b\xff"))

    assert anywhere().post(server.url, body=b"", headers={}).text == "a\ufffdb\ufffd"


class TestTls:
    @pytest.fixture
    def authority(self, tmp_path):
        """Return what trusts the certificate of NAME, and what presents it."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
            .public_bytes(serialization.Encoding.PEM)
        )
        path = tmp_path / "both.pem"
        plain = serialization.NoEncryption()
        form = serialization.PrivateFormat.PKCS8
        path.write_bytes(certificate + key.private_bytes(serialization.Encoding.PEM, form, plain))
        presented = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        presented.load_cert_chain(path)
        return ssl.create_default_context(cadata=certificate.decode()), presented

    @pytest.fixture
    def tls_server(self, authority):
        with running(WebServer(), authority[1]) as server:
            yield server

    def test_a_certificate_is_checked_against_the_name_and_not_the_address(
        self, tls_server, authority, resolve
    ):
        resolve(["127.0.0.1"])

        answer = anywhere(trust=authority[0]).post(
            f"https://{NAME}:{tls_server.port}/", body=b"x", headers={}
        )

        assert answer.status == 200
        assert tls_server.asked[0].headers["host"] == f"{NAME}:{tls_server.port}"

    @pytest.mark.parametrize("host", ["other.example.com", "127.0.0.1"])
    def test_a_certificate_of_another_name_is_not_accepted(
        self, tls_server, authority, resolve, host
    ):
        resolve(["127.0.0.1"])

        with pytest.raises(UnreachableError, match=r"certificate is not accepted .*mismatch"):
            anywhere(trust=authority[0]).post(
                f"https://{host}:{tls_server.port}/", body=b"x", headers={}
            )

        assert tls_server.asked == []

    def test_a_certificate_of_nobody_known_is_not_accepted(self, tls_server, resolve):
        resolve(["127.0.0.1"])

        with pytest.raises(UnreachableError, match="certificate is not accepted"):
            anywhere().post(f"https://{NAME}:{tls_server.port}/", body=b"x", headers={})

    def test_a_server_that_drips_over_tls_is_cut_off(self, tls_server, authority, resolve):
        resolve(["127.0.0.1"])
        tls_server.always(Told(raw=_dripping(b"HTTP/1.1 200 OK\r\nX")))

        with pytest.raises(UnreachableError, match=r"within 0\.2 seconds"):
            anywhere(trust=authority[0]).post(
                f"https://{NAME}:{tls_server.port}/", body=b"", headers={}, timeout_seconds=0.2
            )

    def test_a_server_without_tls_is_told(self, server):
        with pytest.raises(UnreachableError, match="no secure connection"):
            anywhere().post(server.url.replace("http", "https"), body=b"", headers={})


def _dripping(beginning: bytes):
    yield beginning
    while True:
        time.sleep(0.02)
        yield b"x"
