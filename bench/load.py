"""A load generator small enough not to be the bottleneck: one thread, raw sockets, keep-alive.

Each connection sends a prepared request as soon as its answer is in. Answers need a
Content-Length; what they say beyond the status is not read.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from statistics import quantiles

HEAD_END = b"\r\n\r\n"


@dataclass
class Report:
    """What came back: latencies in seconds, answers by status, and the time it all took."""

    latencies: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds

    def percentile_ms(self, percent: int) -> float:
        return quantiles(self.latencies, n=100, method="inclusive")[percent - 1] * 1000

    def only(self, status: int) -> Report:
        """Return the report itself, having checked that every answer had this status."""
        if set(self.statuses) != {status}:
            raise SystemExit(f"expected only {status}, got {self.statuses}")
        return self


class Connection:
    def __init__(self, address: tuple[str, int], requests: Iterator[bytes]) -> None:
        self.socket = socket.create_connection(address, timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._requests = requests
        self._buffer = b""
        self._sent_at = 0.0

    def send(self) -> None:
        self._sent_at = time.perf_counter()
        self.socket.sendall(next(self._requests))

    def receive(self) -> tuple[int, float] | None:
        """Return the status and latency once the whole answer is in."""
        piece = self.socket.recv(262_144)
        if not piece:
            raise ConnectionError("the server closed a connection")
        self._buffer += piece
        end = self._buffer.find(HEAD_END)
        if end < 0 or len(self._buffer) < end + 4 + _content_length(self._buffer[:end]):
            return None
        status = int(self._buffer[9:12])
        self._buffer = b""
        return status, time.perf_counter() - self._sent_at


def run(
    address: tuple[str, int],
    make_request: Callable[[int], bytes],
    *,
    connections: int,
    seconds: float,
) -> Report:
    """Keep so many connections busy for so long, the n-th request being `make_request(n)`."""
    requests = (make_request(number) for number in count())
    selector = selectors.DefaultSelector()
    report = Report()
    busy = 0
    started = time.perf_counter()
    for _ in range(connections):
        connection = Connection(address, requests)
        selector.register(connection.socket, selectors.EVENT_READ, connection)
        connection.send()
        busy += 1
    deadline = started + seconds
    while busy:
        for key, _ in selector.select(timeout=10):
            answer = key.data.receive()
            if answer is None:
                continue
            status, latency = answer
            report.latencies.append(latency)
            report.statuses[status] = report.statuses.get(status, 0) + 1
            if time.perf_counter() < deadline:
                key.data.send()
            else:
                selector.unregister(key.data.socket)
                key.data.socket.close()
                busy -= 1
    report.seconds = time.perf_counter() - started
    return report


def request_bytes(
    method: str, path: str, *, headers: dict[str, str] | None = None, body: bytes = b""
) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: bench", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join(lines).encode() + HEAD_END + body


def _content_length(head: bytes) -> int:
    lowered = head.lower()
    at = lowered.find(b"\r\ncontent-length:")
    if at < 0:
        raise ConnectionError("an answer without Content-Length")
    end = lowered.find(b"\r\n", at + 2)
    return int(lowered[at + 17 : end if end >= 0 else None])
