"""What a channel of each type has to know, checked as it comes and shown without secrets. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

from leadvibe.identity.checks import checked_email
from leadvibe.lib.errors import InvalidError
from leadvibe.lib.outbound import AddressRefusedError, check_url
from leadvibe.notifications.addresses import (
    MASK,
    masked_url,
    read_recipients,
)
from leadvibe.notifications.errors import BadChannelError
from leadvibe.notifications.types import Channel, ChannelType

MOST_RECIPIENTS = 50
LONGEST_NAME = 200
LONGEST_HEADER = 2_000

AUTH_HEADER = "auth_header"

FIELDS: Mapping[ChannelType, tuple[str, ...]] = MappingProxyType(
    {
        ChannelType.SLACK: ("channel_id", "channel_name"),
        ChannelType.TEAMS: ("webhook_url", "channel_name"),
        ChannelType.WEBHOOK: ("url", AUTH_HEADER),
        ChannelType.EMAIL: ("recipients", "subject_prefix"),
    }
)
"""By type: what is known of a channel. The first is needed, the others may be left out."""

FieldCheck = Callable[[str], str | None]
"""Returns what is wrong with a text that is not empty, or None."""


def _find_name_problem(text: str) -> str | None:
    if len(text) > LONGEST_NAME or not text.isprintable():
        return f"must be one line of at most {LONGEST_NAME} characters"
    return None


def _find_id_problem(text: str) -> str | None:
    if len(text) > LONGEST_NAME or not text.isalnum():
        return "must be the id of a channel such as C024BE91L"
    return None


def _find_header_problem(text: str) -> str | None:
    if text == MASK:
        return None  # it stands for the one that is known
    if len(text) > LONGEST_HEADER or not text.isascii() or not text.isprintable():
        return f"must be one line of at most {LONGEST_HEADER:,} plain ASCII characters"
    return None


def _find_recipients_problem(text: str) -> str | None:
    recipients = read_recipients(text)
    if not 0 < len(recipients) <= MOST_RECIPIENTS:
        return f"must be 1 to {MOST_RECIPIENTS} e-mail addresses with commas between them"
    for recipient in recipients:
        try:
            checked_email(recipient)
        except InvalidError:
            return f"holds '{recipient[:LONGEST_NAME]}', which is not an e-mail address"
    return None


def _find_url_problem(text: str, *, allow_private: bool) -> str | None:
    try:
        check_url(text, allow_private=allow_private)
    except AddressRefusedError as error:
        return f"cannot be used: {error.reason}"
    return None


def _checks(*, allow_private: bool) -> dict[str, FieldCheck]:
    find_url_problem = partial(_find_url_problem, allow_private=allow_private)
    return {
        "channel_id": _find_id_problem,
        "channel_name": _find_name_problem,
        "webhook_url": find_url_problem,
        "url": find_url_problem,
        AUTH_HEADER: _find_header_problem,
        "recipients": _find_recipients_problem,
        "subject_prefix": _find_name_problem,
    }


def checked_config(
    channel_type: ChannelType, given: Mapping[str, Any], *, allow_private: bool
) -> dict[str, str]:
    """Return a configuration with all its fields, empty where left out.

    `allow_private` lets URLs lead to private addresses. Raises BadChannelError.
    """
    found = _problems(channel_type, given, allow_private=allow_private)
    problems = {f"config.{name}": problem for name, problem in found}
    if problems:
        field, problem = next(iter(problems.items()))
        raise BadChannelError(f"{field} {problem}.", fields=problems)
    return {name: (given.get(name) or "").strip() for name in FIELDS[channel_type]}


def shown_config(channel: Channel, *, in_full: bool) -> dict[str, str]:
    """Return what may be seen of a configuration: never its header, and URLs in full if wanted."""
    return {
        name: _shown(name, str(channel.config.get(name) or ""), in_full=in_full)
        for name in FIELDS[channel.type]
    }


def _problems(
    channel_type: ChannelType, given: Mapping[str, Any], *, allow_private: bool
) -> Iterator[tuple[str, str]]:
    needed, *_ = known = FIELDS[channel_type]
    for name in given:
        if name not in known:
            yield name, f"is not known of {channel_type} channels: remove it"
    checks = _checks(allow_private=allow_private)
    for name in known:
        value = given.get(name)
        if value is not None and not isinstance(value, str):
            yield name, "must be text"
        elif value and value.strip():
            problem = checks[name](value.strip())
            if problem:
                yield name, problem
        elif name == needed:
            yield name, f"is missing: {channel_type} channels need it"


def _shown(name: str, value: str, *, in_full: bool) -> str:
    if name == AUTH_HEADER:
        return MASK if value else ""
    return value if in_full or not name.endswith("url") else masked_url(value)
