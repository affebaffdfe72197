"""Calls of Slack's Web API, and what each way to fail means.

Does not know units or connections, and never tries again by itself: who calls decides.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from leadvibe.lib.trust import trusted
from leadvibe.notifications.errors import TransportError

TIMEOUT_SECONDS = 5
LONGEST_RECORD = 2_000  # characters of a request or an answer that a receipt keeps
FIRST_SERVER_ERROR = 500
TOO_MANY_REQUESTS = 429

REVOKED = frozenset(
    {"invalid_auth", "token_revoked", "account_inactive", "token_expired", "not_authed"}
)
"""The token is good for nothing any more."""

_TEMPORARY = frozenset(
    {
        "ratelimited", "rate_limited", "internal_error", "fatal_error", "request_timeout",
        "service_unavailable", "team_added_to_org",
    }
)  # fmt: skip
_NO_CHANNEL = "Slack knows no such channel, or it is private and the app is not in it"
_NO_PERSON = "Slack knows no such person"
_REASONS: Mapping[str, str] = {
    **dict.fromkeys(REVOKED, "Slack no longer accepts the connection"),
    "channel_not_found": _NO_CHANNEL,
    "not_in_channel": "the app is not in the channel: invite it there",
    "is_archived": "the channel is archived",
    "user_not_found": _NO_PERSON,
    "users_not_found": _NO_PERSON,
    "user_disabled": "the account of that person is deactivated",
    "cannot_dm_bot": "bots and the app itself take no direct messages",
    "restricted_action": "the workspace does not let the app write there",
    "missing_scope": "the app lacks a permission: connect Slack again",
    "ratelimited": "Slack asks for fewer messages",
    "rate_limited": "Slack asks for fewer messages",
}

# The library's own would write the bodies of answers to the log, tokens among them.
_silent = logging.getLogger(f"{__name__}.library")
_silent.setLevel(logging.CRITICAL + 1)


class SlackError(TransportError):
    """Slack said no, or nothing; `code` is its own word for why, empty when it could not say."""

    def __init__(self, message: str, *, code: str = "", **details: Any) -> None:
        super().__init__(message, **details)
        self.code = code

    @property
    def is_revoked(self) -> bool:
        """Say whether the connection has ended, so that it should be marked as such."""
        return self.code in REVOKED


@dataclass(frozen=True, slots=True)
class SlackApi:
    """Slack as one token sees it; without a token, as an app does that asks for one."""

    base_url: str
    token: str | None = field(default=None, repr=False)

    def call(
        self,
        method: str,
        body: Mapping[str, Any],
        *,
        as_json: bool = False,
        app: tuple[str, str] | None = None,
    ) -> dict[str, Any]:
        """Call a method and return what it answers. Raises SlackError.

        `app` is the client id and secret of the app that calls, instead of a token.
        """
        given = {name: value for name, value in body.items() if value is not None}
        auth = {"client_id": app[0], "client_secret": app[1]} if app else None
        # What an app exchanges is a secret while it is good, and stays out of every record.
        request = "" if app else record_of(given)
        try:
            response = self._client().api_call(
                method,
                auth=auth,
                json=given if as_json else None,
                data=None if as_json else given,
            )
        except SlackApiError as error:
            raise _refused(method, error, request=request) from None
        except (SlackClientError, HTTPException, OSError, ValueError) as error:
            raise SlackError(
                f"{method} at {self.base_url} failed: {error}",
                reason="Slack cannot be reached",
                is_temporary=True,
                request=request,
            ) from error
        assert isinstance(response.data, dict)
        return response.data

    def _client(self) -> WebClient:
        return WebClient(
            self.token,
            base_url=self.base_url,
            timeout=TIMEOUT_SECONDS,
            ssl=trusted(),
            logger=_silent,
            retry_handlers=[],
        )


def record_of(document: object) -> str:
    """Return a request or an answer as a receipt keeps it: JSON, cut short."""
    return json.dumps(document, ensure_ascii=False)[:LONGEST_RECORD]


def _refused(method: str, error: SlackApiError, *, request: str) -> SlackError:
    response = error.response
    status = response.status_code
    answer = response.data if isinstance(response.data, dict) else {}
    code = "ratelimited" if status == TOO_MANY_REQUESTS else str(answer.get("error", ""))
    if status >= FIRST_SERVER_ERROR:
        # What stands there instead of a code is the page of whatever is in front of Slack.
        code = code if code in _TEMPORARY else "service_unavailable"
        answer = {"ok": False, "error": code}
    return SlackError(
        f"{method} was refused: {status} {code}",
        code=code,
        reason=_REASONS.get(code) or f"Slack says {code or 'nothing that makes sense'}",
        is_temporary=code in _TEMPORARY,
        retry_after_seconds=_seconds(response.headers.get("Retry-After")),
        status=status,
        request=request,
        response=record_of(answer),
    )


def _seconds(text: str | None) -> float | None:
    return float(text) if text and text.isascii() and text.isdecimal() else None
