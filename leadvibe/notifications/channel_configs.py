"""What a channel of each type has to know, checked as it comes and shown without secrets. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from leadvibe.identity.checks import checked_email
from leadvibe.lib.errors import InvalidError
from leadvibe.notifications.addresses import (
    MASK,
    find_url_problem,
    masked_url,
    read_recipients,
)
from leadvibe.notifications.errors import BadChannelError
from leadvibe.notifications.types import Channel, ChannelType

MOST_RECIPIENTS = 50
LONGEST_NAME = 200
LONGEST_HEADER = 2_000

AUTH_HEADER = "auth_header"

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


FIELDS: Mapping[ChannelType, Mapping[str, FieldCheck]] = MappingProxyType(
    {
        ChannelType.SLACK: {"channel_id": _find_id_problem, "channel_name": _find_name_problem},
        ChannelType.TEAMS: {"webhook_url": find_url_problem, "channel_name": _find_name_problem},
        ChannelType.WEBHOOK: {"url": find_url_problem, AUTH_HEADER: _find_header_problem},
        ChannelType.EMAIL: {
            "recipients": _find_recipients_problem,
            "subject_prefix": _find_name_problem,
        },
    }
)
"""By type: what is known of a channel. The first is needed, the others may be left out."""


def checked_config(channel_type: ChannelType, given: Mapping[str, Any]) -> dict[str, str]:
    """Return a configuration with all its fields, empty where left out. Raises BadChannelError."""
    problems = {f"config.{name}": problem for name, problem in _problems(channel_type, given)}
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


def _problems(channel_type: ChannelType, given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    known = FIELDS[channel_type]
    for name in given:
        if name not in known:
            yield name, f"is not known of {channel_type} channels: remove it"
    needed = next(iter(known))
    for name, find_problem in known.items():
        value = given.get(name)
        if value is not None and not isinstance(value, str):
            yield name, "must be text"
        elif value and value.strip():
            problem = find_problem(value.strip())
            if problem:
                yield name, problem
        elif name == needed:
            yield name, f"is missing: {channel_type} channels need it"


def _shown(name: str, value: str, *, in_full: bool) -> str:
    if name == AUTH_HEADER:
        return MASK if value else ""
    return value if in_full or not name.endswith("url") else masked_url(value)
