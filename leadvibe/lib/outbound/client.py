"""Requests to places whose addresses are checked first, each within a time of its own."""

from __future__ import annotations

import logging
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException
from ipaddress import ip_address
from threading import Timer

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from leadvibe.lib.outbound.addresses import is_public
from leadvibe.lib.outbound.errors import AddressRefusedError, UnreachableError
from leadvibe.lib.outbound.places import PRIVATE, Place, place_of
from leadvibe.lib.trust import trusted

TIMEOUT_SECONDS = 5.0
MOST_BYTES = 64 * 1024
MOST_ADDRESSES = 4  # of one host name that are tried
_CHUNK_BYTES = 4 * 1024

# It warns of odd headers with the whole URL, whose query may be a secret.
logging.getLogger("urllib3.connection").setLevel(logging.ERROR)

_BROKEN = (OSError, HTTPException, HTTPError)
"""All that urllib3 and what it builds on raise when a connection fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back, whatever its status: a redirect too, for none is followed.

    Names of headers may be asked for in any case. `text` is the beginning of the body, without
    NULs, as far as it came in time.
    """

    status: int
    headers: Mapping[str, str]
    text: str


class Outbound:
    """Makes requests. `allow_private` lifts the check of addresses, and only that."""

    def __init__(self, *, allow_private: bool, trust: ssl.SSLContext | None = None) -> None:
        self._allow_private = allow_private
        self._trust = trust

    def post(
        self,
        url: str,
        *,
        body: bytes,
        headers: Mapping[str, str],
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> Answer:
        """Do as `request`."""
        return self.request(
            "POST", url, body=body, headers=headers, timeout_seconds=timeout_seconds
        )

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
        most_bytes: int = MOST_BYTES,
        may_be_private: bool = False,
    ) -> Answer:
        """Make one request. Raises AddressRefusedError or UnreachableError.

        The time is for everything but the look-up of the host name, which the resolver limits.
        `may_be_private` is for URLs out of the settings of the installation. Raises ValueError
        for headers that HTTP cannot carry.
        """
        place = place_of(url)
        addresses = _addresses(place, may_be_private=may_be_private or self._allow_private)
        sent = {"Host": place.authority, "Accept-Encoding": "identity", **headers}
        deadline = _Deadline(timeout_seconds)
        with (
            closing(self._connect(place, addresses, deadline)) as connection,
            deadline.ends(connection),
        ):
            connection.timeout = deadline.seconds_left
            try:
                connection.request(method, place.target, body, sent, preload_content=False)
                response = connection.getresponse()
            except _BROKEN as error:
                raise UnreachableError(_why_not_answered(deadline)) from error
            if deadline.is_over:  # headers that were cut short look like the end of them
                raise UnreachableError(_too_slow(deadline))
            return _answer(response, most_bytes)

    def _connect(self, place: Place, addresses: list[str], deadline: _Deadline) -> HTTPConnection:
        problem: Exception | None = None
        for tried, address in enumerate(addresses):
            share = deadline.seconds_left / (len(addresses) - tried)
            connection = self._connection(place, address, timeout_seconds=share)
            try:
                connection.connect()
            except _BROKEN as error:
                connection.close()
                problem = error
            else:
                return connection
        raise UnreachableError(_why_not_connected(problem, deadline)) from problem

    def _connection(self, place: Place, address: str, *, timeout_seconds: float) -> HTTPConnection:
        """Return a connection to the very address that was checked, known by the host's name."""
        if place.scheme == "http":
            return HTTPConnection(address, place.port, timeout=timeout_seconds)
        return HTTPSConnection(
            address,
            place.port,
            timeout=timeout_seconds,
            ssl_context=self._trust or trusted(),
            server_hostname=place.host,
        )


class _Deadline:
    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._at = time.monotonic() + seconds

    @property
    def seconds_left(self) -> float:
        """Return at least a moment, for a time-out of 0 would mean not to wait at all."""
        return max(self._at - time.monotonic(), 0.001)

    @property
    def is_over(self) -> bool:
        return time.monotonic() >= self._at

    @contextmanager
    def ends(self, connection: HTTPConnection) -> Iterator[None]:
        """Shut the connection down when the time is over.

        Time-outs of a socket do not do: they begin anew with each byte that drips in.
        """
        timer = Timer(self.seconds_left, _shut_down, [connection.sock])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


def _shut_down(sock: socket.socket) -> None:
    with suppress(OSError):  # it is closed already
        # Not the SSLSocket's own way, which would pull the TLS state from under a reader.
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


def _addresses(place: Place, *, may_be_private: bool) -> list[str]:
    """Look the host up, once: whoever is asked twice may answer differently the second time."""
    try:
        found = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise UnreachableError(f"the host name {place.host} is not known") from error
    addresses = list(dict.fromkeys(str(where[0]) for *_, where in found))
    if not may_be_private and not all(is_public(ip_address(each)) for each in addresses):
        raise AddressRefusedError(PRIVATE)
    return addresses[:MOST_ADDRESSES]


def _answer(response: BaseHTTPResponse, most_bytes: int) -> Answer:
    text = _text_of(response, most_bytes)
    return Answer(status=response.status, headers=response.headers, text=text)


def _text_of(response: BaseHTTPResponse, most_bytes: int) -> str:
    """Return the beginning of the body; the status was said, so losing the rest is no failure."""
    body = b""
    with suppress(*_BROKEN):
        while len(body) < most_bytes and (
            chunk := response.read(_CHUNK_BYTES, decode_content=False)
        ):
            body += chunk
    text = body[:most_bytes].decode(errors="replace")
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def _why_not_connected(error: Exception | None, deadline: _Deadline) -> str:
    if deadline.is_over:
        return _too_slow(deadline)
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the server's certificate is not accepted ({error.verify_message.rstrip('.')})"
    if isinstance(error, ssl.SSLError):
        return "there is no secure connection to the server"
    return "nothing answers at its address"


def _why_not_answered(deadline: _Deadline) -> str:
    return _too_slow(deadline) if deadline.is_over else "the server broke off the connection"


def _too_slow(deadline: _Deadline) -> str:
    return f"the server did not answer within {deadline.seconds:g} seconds"
