"""A stand-in for Slack: a local server that answers as Slack documents, and keeps what it is told.

Tests ask for `slack`: the application's SLACK_API_URL leads to it until the test ends. As a script
it stays up to try the pages by hand: python -m tests.standins.slack 8199
"""

from __future__ import annotations

import json
import sys
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from flask import Flask

CLIENT_ID, CLIENT_SECRET = "1234.5678", "0123456789abcdef-secret"
TOKEN = "xoxb-stand-in-token"
TEAM_ID, TEAM_NAME, BOT = "T024BE7LD", "Acme", "U0BOT00001"
CODE = "a-code-of-slack"

CHANNELS = (
    {"id": "C024BE91L", "name": "general", "is_channel": True, "is_private": False},
    {"id": "C024BE91M", "name": "sales", "is_channel": True, "is_private": False},
    {"id": "C024BE91N", "name": "leads", "is_channel": True, "is_private": False},
    {"id": "G024BE91P", "name": "board", "is_channel": True, "is_private": True},
)
ARCHIVED = "C0ARCHIVED"


def user(user_id: str, email: str | None, **others: Any) -> dict[str, Any]:
    profile = {"email": email} if email else {}
    return {"id": user_id, "deleted": False, "is_bot": False, "profile": profile, **others}


USERS = (
    user("U0OWNER001", "Owner@acme.test", name="owner"),
    user("U0VIEWER01", "viewer@acme.test", name="viewer"),
    user("U0GONE0001", "operator@acme.test", deleted=True),
    user(BOT, None, is_bot=True),
)


@dataclass(frozen=True, slots=True)
class Call:
    """A call as it came in."""

    method: str
    body: dict[str, Any]


@dataclass(slots=True)
class SlackWorld:
    """One workspace, what was posted there, and what goes wrong next."""

    url: str = ""
    calls: list[Call] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    tokens: set[str] = field(default_factory=lambda: {TOKEN})
    codes: set[str] = field(default_factory=lambda: {CODE})
    channels: list[dict[str, Any]] = field(default_factory=lambda: list(CHANNELS))
    users: list[dict[str, Any]] = field(default_factory=lambda: list(USERS))
    team: dict[str, str] = field(default_factory=lambda: {"id": TEAM_ID, "name": TEAM_NAME})
    failures: list[tuple[int, str, dict[str, str]]] = field(default_factory=list)

    def reset(self) -> None:
        """Become as new, at the same address."""
        fresh = SlackWorld()
        for name in self.__dataclass_fields__:
            if name != "url":
                setattr(self, name, getattr(fresh, name))

    def fail_next(self, error: str, *, status: int = 200, retry_after: int | None = None) -> None:
        """Let the next call fail; a status other than 200 comes with no JSON, as from a proxy."""
        headers = {"Retry-After": str(retry_after)} if retry_after is not None else {}
        self.failures.append((status, error, headers))

    def revoke(self) -> None:
        """Take all tokens back, as an admin of the workspace does who removes the app."""
        self.tokens.clear()

    def called(self, method: str) -> list[dict[str, Any]]:
        """Return the bodies of the calls of a method."""
        return [call.body for call in self.calls if call.method == method]

    def answer(self, method: str, body: dict[str, Any], headers: Any) -> dict[str, Any]:
        """Return what Slack answers to a call, in its own words."""
        if method == "oauth.v2.access":
            return self._exchange(body, headers)
        token = headers.get("Authorization", "").removeprefix("Bearer ")
        if not token:
            return _error("not_authed")
        if token not in self.tokens:
            return _error("token_revoked" if token == TOKEN else "invalid_auth")
        answers = {
            "auth.test": lambda: {"team_id": self.team["id"], "user_id": BOT},
            "auth.revoke": lambda: self._revoke(token),
            "conversations.list": lambda: self._page("channels", self._seen(body), body),
            "users.list": lambda: self._page("members", self.users, body),
            "conversations.open": lambda: self._open(body),
            "chat.postMessage": lambda: self._post(body),
        }
        return {"ok": True, **answers[method]()} if method in answers else _error("unknown_method")

    def _exchange(self, body: dict[str, Any], headers: Any) -> dict[str, Any]:
        pair = b64decode(headers.get("Authorization", "").removeprefix("Basic ")).decode()
        client_id, _, secret = pair.partition(":")
        if client_id != CLIENT_ID:
            return _error("invalid_client_id")
        if secret != CLIENT_SECRET:
            return _error("bad_client_secret")
        if body.get("code") not in self.codes:
            return _error("invalid_code")
        self.codes.discard(body["code"])
        self.tokens.add(TOKEN)
        return {
            "ok": True, "access_token": TOKEN, "token_type": "bot", "scope": "chat:write",
            "bot_user_id": BOT, "app_id": "A0KRD7HC3", "team": self.team, "enterprise": None,
            "authed_user": {"id": "U0OWNER001"},
        }  # fmt: skip

    def _revoke(self, token: str) -> dict[str, Any]:
        self.tokens.discard(token)
        return {"revoked": True}

    def _seen(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        kinds = body.get("types", "public_channel").split(",")
        return [
            it
            for it in self.channels
            if ("private_channel" if it["is_private"] else "public_channel") in kinds
        ]

    def _page(self, name: str, items: list[Any], body: dict[str, Any]) -> dict[str, Any]:
        cursor = body.get("cursor") or "0"
        if not str(cursor).isdecimal():
            return _error("invalid_cursor")
        first, limit = int(cursor), int(body.get("limit") or 100)
        following = str(first + limit) if first + limit < len(items) else ""
        page = items[first : first + limit]
        return {name: page, "response_metadata": {"next_cursor": following}}

    def _open(self, body: dict[str, Any]) -> dict[str, Any]:
        known = {it["id"]: it for it in self.users}
        asked = known.get(body.get("users", ""))
        if asked is None:
            return _error("user_not_found")
        if asked["is_bot"]:
            return _error("cannot_dm_bot")
        return {"channel": {"id": f"D{asked['id'][1:]}"}}

    def _post(self, body: dict[str, Any]) -> dict[str, Any]:
        channel = body.get("channel", "")
        if channel == ARCHIVED:
            return _error("is_archived")
        if not channel.startswith("D") and channel not in {it["id"] for it in self.channels}:
            return _error("channel_not_found")
        for block in body.get("blocks", ()):
            if block["type"] == "section" and len(block.get("text", {}).get("text", "")) > 3000:
                return _error("invalid_blocks")
        self.messages.append(body)
        return {"channel": channel, "ts": f"1700000000.{len(self.messages):06}", "message": {}}


def _error(code: str) -> dict[str, Any]:
    return {"ok": False, "error": code}


class _Handler(BaseHTTPRequestHandler):
    world: SlackWorld
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Let the person who installs an app agree at once, as Slack's own page would ask."""
        asked = dict(parse_qsl(urlsplit(self.path).query))
        self.world.codes.add(CODE)
        back = urlencode({"code": CODE, "state": asked.get("state", "")})
        self._send(302, b"", {"Location": f"{asked.get('redirect_uri')}?{back}"})

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        if "json" in self.headers.get("Content-Type", ""):
            body = json.loads(raw)
        else:
            body = {name: values[-1] for name, values in parse_qs(raw).items()}
        method = urlsplit(self.path).path.rpartition("/")[2]
        self.world.calls.append(Call(method, body))
        if self.world.failures:
            status, error, headers = self.world.failures.pop(0)
            failed = json.dumps(_error(error)) if status == 200 else "<html>Sorry</html>"
            self._send(status, failed.encode(), headers)
            return
        answer = self.world.answer(method, body, self.headers)
        self._send(200, json.dumps(answer).encode(), {"Content-Type": "application/json"})

    def _send(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_args: Any) -> None:
        """Write nothing."""


def serve(port: int = 0) -> tuple[SlackWorld, ThreadingHTTPServer]:
    """Begin to answer; `url` of what is returned is a SLACK_API_URL."""
    world = SlackWorld()
    handler = type("Handler", (_Handler,), {"world": world})
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    server.daemon_threads = True
    world.url = f"http://127.0.0.1:{server.server_port}/api/"
    return world, server


@pytest.fixture(scope="session")
def _slack_server() -> Iterator[SlackWorld]:
    world, server = serve()
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield world
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def slack(app: Flask, _slack_server: SlackWorld, monkeypatch: pytest.MonkeyPatch) -> SlackWorld:
    """Return a workspace that nobody has used yet; the application finds Slack there."""
    _slack_server.reset()
    monkeypatch.setitem(app.config, "SLACK_API_URL", _slack_server.url)
    return _slack_server


if __name__ == "__main__":
    _, running = serve(int(sys.argv[1]))
    running.serve_forever()
