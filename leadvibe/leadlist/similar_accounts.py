"""Accounts looked for by something like their name: before a new one is made, for example."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import NamedTuple

from leadvibe.identity.types import Scope
from leadvibe.leads.accounts import ACCOUNT_COLUMNS, Account
from leadvibe.lib.db import driver

SIMILAR = 0.6
MOST_SIMILAR = 5
CANDIDATES = 200
"""Accounts that share most with a name, of which the similar ones are chosen."""

COMMON = 2_000
"""Accounts with a trigram from which on it tells little, and as many as are ranked."""


class SimilarAccount(NamedTuple):
    account_id: str
    name: str
    domain: str | None
    similarity: float


def find_by_domain_or_name(scope: Scope, *, domain: str, name: str) -> Account | None:
    """Return the account of this domain, else one of exactly this name in any case, or None."""
    statement = f"""
        SELECT {ACCOUNT_COLUMNS} FROM accounts a
        WHERE a.unit_id = %(unit)s AND (a.domain = lower(%(domain)s)
              OR (%(name)s <> '' AND lower(a.name) = lower(%(name)s)))
        ORDER BY a.domain IS NOT DISTINCT FROM lower(%(domain)s) DESC, a.leads_count DESC,
                 a.account_id
        LIMIT 1
    """  # noqa: S608 - pieces of ours
    bound = {"unit": scope.unit_id, "domain": domain, "name": name}
    row = driver().execute(statement, bound).fetchone()
    return Account(*row) if row else None


def find_similar(scope: Scope, name: str) -> list[SimilarAccount]:
    """Return the accounts whose name is most similar, the most similar first.

    Similarity is the share of the letters that both names have in the same order; letters count
    without case, and nothing else but digits does.
    """
    wanted = _letters(name)
    found = [
        SimilarAccount(account_id, called, domain, similarity)
        for account_id, called, domain in _candidates(scope, name)
        if (similarity := _similarity(wanted, _letters(called))) > SIMILAR
    ]
    found.sort(key=lambda each: (-each.similarity, each.name, each.account_id))
    return found[:MOST_SIMILAR]


def _candidates(scope: Scope, name: str) -> Iterator[tuple[str, str, str | None]]:
    """Yield the accounts that share most trigrams with a name, looked up by its rarer half.

    The commonest would bring up every company there is.
    """
    rarest = """
        SELECT gram, (
            SELECT count(*) FROM (
                SELECT FROM account_search s
                WHERE s.unit_id = %(unit)s AND s.grams @> ARRAY[gram] LIMIT %(common)s
            ) AS found
        ) AS count
        FROM unnest(search_grams(%(unit)s, %(name)s)) AS gram ORDER BY count, gram
    """
    bound = {"unit": scope.unit_id, "name": name, "common": COMMON, "limit": CANDIDATES}
    grams = [gram for gram, count in driver().execute(rarest, bound) if count]
    statement = """
        SELECT a.account_id, a.name, a.domain
        FROM (
            SELECT account_id, grams FROM account_search
            WHERE unit_id = %(unit)s AND grams && %(rare)s LIMIT %(common)s
        ) AS s
        JOIN accounts a ON a.unit_id = %(unit)s AND a.account_id = s.account_id
        CROSS JOIN LATERAL (
            SELECT count(*) AS shared FROM unnest(s.grams) AS gram WHERE gram = ANY(%(all)s)
        ) AS overlap
        ORDER BY overlap.shared DESC, cardinality(s.grams), a.account_id LIMIT %(limit)s
    """
    rare = grams[: len(grams) // 2 + 1]
    yield from driver().execute(statement, {**bound, "rare": rare, "all": grams})


def _similarity(one: str, other: str) -> float:
    return round(SequenceMatcher(None, one, other, autojunk=False).ratio(), 3)


def _letters(name: str) -> str:
    return re.sub(r"[\W_]+", " ", name.casefold()).strip()
