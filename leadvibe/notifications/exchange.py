"""One request to somebody's server: how it is judged, and what is kept to look into it.

The same for every transport over HTTP. What is kept is cut short and without secrets.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import leadvibe
from leadvibe.lib.outbound import (
    MOST_BYTES,
    TIMEOUT_SECONDS,
    AddressRefusedError,
    Answer,
    Outbound,
    UnreachableError,
)
from leadvibe.notifications.errors import TransportError
from leadvibe.notifications.types import Receipt

LONGEST_REQUEST = 16 * 1024
LONGEST_RESPONSE = 4 * 1024
LONGEST_PATIENCE_SECONDS = 24 * 60 * 60
"""However long a receiver asks to be left alone, a day will do."""

USER_AGENT = f"Leadvibe/{leadvibe.__version__}"

_SECRET_HEADERS = frozenset({"authorization", "set-cookie"})
_SECONDS_DIGITS = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a server may take of us, and whether it may be one of our own network."""

    seconds: float
    answer_bytes: int
    may_be_private: bool


FOR_STRANGERS = Limits(seconds=TIMEOUT_SECONDS, answer_bytes=MOST_BYTES, may_be_private=False)
"""For the URLs that members enter."""

FOR_SERVICES = Limits(seconds=15.0, answer_bytes=1024 * 1024, may_be_private=True)
"""For the services that the installation itself names, whose answers we need in full."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """An answer, whatever its status, and what both sides said."""

    answer: Answer
    request: str
    response: str

    @property
    def receipt(self) -> Receipt:
        return Receipt(status=self.answer.status, request=self.request, response=self.response)

    @property
    def is_success(self) -> bool:
        return HTTPStatus.OK <= self.answer.status < HTTPStatus.MULTIPLE_CHOICES


def exchange(
    outbound: Outbound,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    content: bytes | None = None,
    shown_url: str | None = None,
    limits: Limits = FOR_STRANGERS,
) -> Exchange:
    """Make a request with JSON. Raises TransportError when there is no answer.

    `shown_url` stands for the URL in what is kept, where the URL itself is a secret.
    """
    sent = {"Content-Type": "application/json", "User-Agent": USER_AGENT, **headers}
    text = content.decode() if content else ""
    request = _told(f"{method} {shown_url or url}", sent, text, most=LONGEST_REQUEST)
    try:
        answer = outbound.request(
            method,
            url,
            headers=sent,
            body=content,
            timeout_seconds=limits.seconds,
            most_bytes=limits.answer_bytes,
            may_be_private=limits.may_be_private,
        )
    except AddressRefusedError as error:
        raise _unsent(error, error.reason, is_temporary=False, request=request) from error
    except UnreachableError as error:
        raise _unsent(error, error.reason, is_temporary=True, request=request) from error
    except ValueError as error:  # a line break, say, in what a member set
        reason = "a header set for it cannot be sent"
        raise _unsent(error, reason, is_temporary=False, request=request) from error
    status_line = f"{answer.status} {_phrase(answer.status)}".rstrip()
    response = _told(status_line, answer.headers, answer.text, most=LONGEST_RESPONSE)
    return Exchange(answer=answer, request=request, response=response)


def settle(made: Exchange, *, receiver: str, now: datetime) -> Receipt:
    """Return the receipt of a success. Raises TransportError for all but 2xx."""
    if made.is_success:
        return made.receipt
    raise failure(made, receiver=receiver, now=now)


def failure(
    made: Exchange, *, receiver: str, now: datetime, reason: str | None = None
) -> TransportError:
    """Return the error that an answer stands for; `reason` replaces the usual one."""
    status = made.answer.status
    usual = f"{receiver} answered {status} {_phrase(status)}".rstrip()
    is_temporary = is_temporary_status(status)
    return TransportError(
        usual,
        reason=reason or usual,
        is_temporary=is_temporary,
        retry_after_seconds=_retry_after(made.answer, now=now) if is_temporary else None,
        status=status,
        request=made.request,
        response=made.response,
    )


def is_temporary_status(status: int) -> bool:
    """Say whether the same request may succeed later."""
    return status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in {
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_EARLY,
        HTTPStatus.TOO_MANY_REQUESTS,
    }


def compact_json(content: Any) -> bytes:
    """Return the JSON that is sent, the same to the byte each time."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def _unsent(error: Exception, reason: str, *, is_temporary: bool, request: str) -> TransportError:
    return TransportError(str(error), reason=reason, is_temporary=is_temporary, request=request)


def _retry_after(answer: Answer, *, now: datetime) -> float | None:
    asked = answer.headers.get("Retry-After", "").strip()
    if asked.isascii() and asked.isdigit():
        seconds = float(asked[:_SECONDS_DIGITS])
    else:
        try:
            at = parsedate_to_datetime(asked)
        except ValueError:
            return None
        seconds = (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds()
    return min(max(seconds, 0.0), LONGEST_PATIENCE_SECONDS)


def _told(first_line: str, headers: Mapping[str, str], body: str, *, most: int) -> str:
    text = "\n".join([first_line, *_shown(headers.items()), "", body])
    clean = text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace")
    return clean[:most].decode(errors="ignore")


def _shown(headers: Iterable[tuple[str, str]]) -> Iterable[str]:
    return (f"{name}: {value}" for name, value in headers if name.lower() not in _SECRET_HEADERS)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
