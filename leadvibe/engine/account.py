"""Which account a lead belongs to.

Somebody's decision comes first, then the account that an event names (the latest one), then the
one that the lead's own metadata names, then the company behind an e-mail address: its registrable
domain by the public suffix list, unless that belongs to a provider of mailboxes. A lead with none
of these is unresolved.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import cache
from typing import Any, NamedTuple

from publicsuffixlist import PublicSuffixList

from leadvibe.engine.free_mail import FREE_MAIL
from leadvibe.engine.mapping import Moment, Told

ACCOUNT_KEYS = ("accountId", "account_id")
"""Where metadata names an account, the first that does."""

LONGEST_ID = 200

_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_LONGEST_DOMAIN = 253


class LinkedBy(StrEnum):
    """Why a lead belongs to its account."""

    HAND = "hand"
    """Somebody said so; with no account, that it belongs to none."""
    EVENT = "event"
    METADATA = "metadata"
    DOMAIN = "domain"


class Link(NamedTuple):
    """A lead's account and why. Events up to `since` have no say any more."""

    account_id: str | None = None
    by: LinkedBy | None = None
    event: Moment | None = None
    since: int = -1

    def to_json(self) -> dict[str, Any]:
        """Return what beside the account's id has to be remembered, as JSON can hold it."""
        written: dict[str, Any] = {}
        if self.by is not None:
            written["by"] = self.by.value
        if self.event is not None:
            written["event"] = list(self.event)
        if self.since >= 0:
            written["since"] = self.since
        return written

    @classmethod
    def from_json(cls, account_id: str | None, data: Mapping[str, Any]) -> Link:
        """Read what to_json wrote. An account that nothing is remembered of was set by hand."""
        by, event = data.get("by"), data.get("event")
        if by is None and account_id is not None:
            by = LinkedBy.HAND
        return cls(
            account_id,
            LinkedBy(by) if by else None,
            Moment(*event) if event else None,
            data.get("since", -1),
        )


UNRESOLVED = Link()


def settle_link(
    current: Link,
    *,
    told: Iterable[Told],
    metadata: Mapping[str, Any],
    emails: Iterable[str],
) -> Link:
    """Return where the lead belongs, now that events have `told` more.

    Events in any order lead to the same account. `emails` count in the order they are given, and
    not for a lead that has its account by a domain already.
    """
    current = _hear(current, told)
    if current.by in {LinkedBy.HAND, LinkedBy.EVENT}:
        return current
    if (named := account_named_in(metadata)) is not None:
        return current._replace(account_id=named, by=LinkedBy.METADATA)
    if current.by is LinkedBy.DOMAIN:
        return current
    domain = company_domain(emails)
    by = None if domain is None else LinkedBy.DOMAIN
    return current._replace(account_id=domain, by=by)


def link_by_hand(current: Link, account_id: str | None, *, at: int) -> Link:
    """Return the link after somebody has named an account, or none to have it found again."""
    since = max(at, current.since, current.event.at if current.event else -1)
    by = None if account_id is None else LinkedBy.HAND
    return Link(account_id, by, event=None, since=since)


def unlink_by_hand(current: Link, *, at: int) -> Link:
    """Return the link after somebody has said that the lead belongs to no account."""
    return link_by_hand(current, None, at=at)._replace(by=LinkedBy.HAND)


def account_named_in(metadata: Mapping[str, Any]) -> str | None:
    """Return the account that metadata names, or None."""
    for key in ACCOUNT_KEYS:
        value = metadata.get(key)
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if isinstance(value, str):
            account_id = value.strip()
            if 0 < len(account_id) <= LONGEST_ID and account_id.isprintable():
                return account_id
    return None


def company_domain(emails: Iterable[str]) -> str | None:
    """Return the domain of the first address that belongs to a company, or None."""
    domains = (registrable_domain(email.rpartition("@")[2]) for email in emails if "@" in email)
    return next((it for it in domains if it is not None and it not in FREE_MAIL), None)


def registrable_domain(host: str) -> str | None:
    """Return the part of a host name that somebody registered: acme.co.uk of mail.acme.co.uk.

    In lower case, as DNS writes it. None when nobody can have registered it, or it is no host.
    """
    name = _as_dns_writes(host)
    if name is None:
        return None
    found = _suffixes().privatesuffix(name)
    return str(found) if found else None


def _hear(current: Link, told: Iterable[Told]) -> Link:
    latest = current.event
    account_id = None
    for each in told:
        named = account_named_in(each.metadata)
        if named is None:
            continue
        moment = each.moment
        if moment.at > current.since and (latest is None or moment > latest):
            latest, account_id = moment, named
    if account_id is None or (current.by is LinkedBy.HAND and current.account_id is not None):
        return current
    return current._replace(account_id=account_id, by=LinkedBy.EVENT, event=latest)


def _as_dns_writes(host: str) -> str | None:
    name = host.strip().rstrip(".").lower()
    if not name.isascii():
        try:
            name = name.encode("idna").decode()
        except UnicodeError:
            return None
    labels = name.split(".")
    if len(name) > _LONGEST_DOMAIN or not all(_LABEL.fullmatch(label) for label in labels):
        return None
    return None if labels[-1].isdigit() else name


@cache
def _suffixes() -> PublicSuffixList:
    # Read when first asked for: a tenth of a second that most processes never need.
    return PublicSuffixList()
