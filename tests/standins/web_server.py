"""A web server on this machine that answers as a test says and keeps what it was asked."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


@dataclass
class Asked:
    method: str
    path: str
    headers: dict[str, str]
    """By names in lower case."""
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


@dataclass
class Told:
    """What to answer. `raw` goes out instead of all else, piece by piece."""

    status: int = 200
    body: bytes = b"ok"
    headers: dict[str, str] = field(default_factory=dict)
    raw: Iterator[bytes] | None = None


def told_json(status: int, content, **headers: str) -> Told:
    return Told(
        status, json.dumps(content).encode(), {"Content-Type": "application/json"} | headers
    )


class WebServer:
    """Answers each request with what `answer` makes of it."""

    def __init__(self):
        self.asked: list[Asked] = []
        self.answer: Callable[[Asked], Told] = lambda _asked: Told()
        self.port = 0
        self.scheme = "http"

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def always(self, told: Told) -> None:
        self.answer = lambda _asked: told


@contextmanager
def running(server: WebServer, tls: ssl.SSLContext | None = None) -> Iterator[WebServer]:
    """Serve in threads until the block ends."""
    listener = _Listener(("127.0.0.1", 0), _handler(server))
    if tls:
        listener.socket = tls.wrap_socket(
            listener.socket, server_side=True, do_handshake_on_connect=False
        )
        server.scheme = "https"
    server.port = listener.server_address[1]
    thread = Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request, client_address):
        """Say nothing: clients that hang up are what many tests are about."""


def _handler(server: WebServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.command, self.path, headers, body)
            server.asked.append(asked)
            self._say(server.answer(asked))

        do_GET = do_POST = do_PATCH = do_PUT = _serve  # noqa: N815

        def _say(self, told: Told) -> None:
            if told.raw is not None:
                for piece in told.raw:
                    self.wfile.write(piece)
                return
            self.send_response(told.status)
            for name, value in told.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(told.body)))
            self.end_headers()
            self.wfile.write(told.body)

        def log_message(self, *_args) -> None:
            """Keep the output of the tests to themselves."""

    return Handler
