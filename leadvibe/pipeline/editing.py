"""What people change about leads and accounts by hand, and what follows from it.

Waits for the pipeline's batch of the unit and flushes without committing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from json import dumps
from typing import Any, NamedTuple
from uuid import UUID

from pydantic_core import to_json

from leadvibe.engine.account import unlink_by_hand
from leadvibe.engine.mapping import Document, instant_of, set_by_hand
from leadvibe.events import service as events
from leadvibe.identity.types import Scope
from leadvibe.leads import accounts, alias_editing, documents
from leadvibe.leads import queries as lead_queries
from leadvibe.leads import service as leads
from leadvibe.leads.errors import PropertyChangedError
from leadvibe.leads.fields import require_kinds
from leadvibe.leads.types import Alias, AliasKind, Identity, Lead
from leadvibe.lib.db import session
from leadvibe.lib.errors import LeadvibeError
from leadvibe.pipeline.describe import describe_leads, set_account_properties
from leadvibe.pipeline.intake import check_metadata
from leadvibe.pipeline.retelling import retell_leads
from leadvibe.pipeline.scorebook import current_config
from leadvibe.scoring import profiles
from leadvibe.scoring.profiles import Side

_STATE_BYTES = 12
"""Enough that no two states of one thing ever have the same name by chance."""


class GivenLead(NamedTuple):
    """What somebody says of a lead. Aliases of the `decisive` kind say first who it is."""

    aliases: tuple[Alias, ...]
    decisive: AliasKind
    properties: Mapping[str, Any]


class LeadsDescribed(NamedTuple):
    """Which of many leads is which, in order; `created` are new.

    Those at the places in `refused` were left out, for the reason that it gives. What was known of
    each is in `before`, what is in `after`.
    """

    lead_ids: Sequence[str]
    created: Collection[str]
    refused: Mapping[int, str]
    before: Mapping[str, Document]
    after: Mapping[str, Document]


class AccountsDeleted(NamedTuple):
    """How many leads were taken out of accounts, and how many of these are gone."""

    leads: int
    accounts: int


def create_lead(
    scope: Scope,
    *,
    lead_id: str,
    metadata: Mapping[str, Any],
    account_id: str | None,
    source: str,
    now: datetime,
) -> Lead:
    """Make a lead under an id the client chose. Raises LeadExistsError."""
    made = leads.create(
        scope, lead_id=lead_id, metadata=metadata, account_id=account_id, source=source, now=now
    )
    return _restate(scope, made.lead_id, now=now)


def patch_lead(scope: Scope, lead_id: str, changes: Mapping[str, Any], *, now: datetime) -> Lead:
    """Merge keys into the lead's metadata; a null removes its key. Raises LeadNotFoundError."""
    return _restate(scope, leads.patch_metadata(scope, lead_id, changes, now=now).lead_id, now=now)


def replace_lead(scope: Scope, lead_id: str, metadata: Mapping[str, Any], *, now: datetime) -> Lead:
    """Put new metadata in the place of the lead's. Raises LeadNotFoundError."""
    return _restate(
        scope, leads.replace_metadata(scope, lead_id, metadata, now=now).lead_id, now=now
    )


def set_property(
    scope: Scope, lead_id: str, name: str, value: Any, *, state: str, now: datetime
) -> Lead:
    """Set one property of a lead, None taking it away, if it is still in the state that is named.

    Raises LeadNotFoundError and PropertyChangedError, and InvalidError for a recorded field that
    would not be of its kind.
    """
    leads.lock_identities(scope)
    lead = lead_queries.get_lead(scope, lead_id)
    _require_state(state_of(lead.metadata.get(name)), state, f"“{name}” has")
    require_kinds({name: value})
    return _checked(patch_lead(scope, lead.lead_id, {name: value}, now=now))


def set_properties(
    scope: Scope, lead_id: str, metadata: Mapping[str, Any], *, state: str, now: datetime
) -> Lead:
    """Put metadata in the place of a lead's if that is still in the state that is named.

    Raises LeadNotFoundError and PropertyChangedError, and InvalidError for a recorded field that
    would not be of its kind.
    """
    leads.lock_identities(scope)
    lead = lead_queries.get_lead(scope, lead_id)
    _require_state(state_of(lead.metadata), state, "The properties have")
    require_kinds(what_differs(metadata, lead.metadata))
    return _checked(replace_lead(scope, lead.lead_id, metadata, now=now))


def what_differs(metadata: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """Return the properties that are other than they were: what events brought may stay."""
    return {name: it for name, it in metadata.items() if it != before.get(name)}


def state_of(value: Any) -> str:
    """Name what a property, or all of them, is now; the same value has the same name."""
    content = dumps(value, sort_keys=True).encode()
    return blake2b(content, digest_size=_STATE_BYTES).hexdigest()


def _require_state(current: str, seen: str, what: str) -> None:
    if current != seen:
        raise PropertyChangedError(
            f"{what} changed since you opened this. Nothing is saved yet: save again to replace"
            " it with what stands here."
        )


def _checked(lead: Lead) -> Lead:
    check_metadata(to_json(lead.metadata))  # what is too large altogether is rolled back
    return lead


def add_alias(scope: Scope, lead_id: str, alias: Alias, *, now: datetime) -> Lead:
    """Let a lead be recognised by an alias. Raises LeadNotFoundError and AliasTakenError."""
    leads.lock_identities(scope)
    lead = lead_queries.get_lead(scope, lead_id)
    alias_editing.add_alias(scope, lead, alias, now=now)
    return _restate(scope, lead.lead_id, now=now)


def remove_alias(scope: Scope, lead_id: str, alias_id: UUID, *, now: datetime) -> str:
    """Let a lead be recognised by an alias no more; returns how it was spelled.

    Raises LeadNotFoundError and AliasNotFoundError.
    """
    leads.lock_identities(scope)
    lead = lead_queries.get_lead(scope, lead_id)
    spelled = alias_editing.remove_alias(scope, lead, alias_id, now=now)
    _restate(scope, lead.lead_id, now=now)
    return spelled


def describe_many(
    scope: Scope, given: Sequence[GivenLead], *, source: str, now: datetime
) -> LeadsDescribed:
    """Set properties of many leads, in order, and make those that nobody knows yet.

    An anonymous visitor that turns out to be somebody is folded in, as by an event. Who would have
    more metadata than can be kept is refused, without any effect. Waits for the pipeline's batch.
    """
    leads.lock_identities(scope)
    refused: dict[int, str] = {}
    while True:
        places = [place for place in range(len(given)) if place not in refused]
        attempt = session().begin_nested()
        done = _describe(scope, [given[place] for place in places], source=source, now=now)
        if not done.refused:
            attempt.commit()
            return done._replace(refused=refused)
        # They have made leads or given them aliases already: without them from the beginning.
        attempt.rollback()
        refused |= {places[place]: reason for place, reason in done.refused.items()}


def move_lead(scope: Scope, lead_id: str, account_id: str | None, *, now: datetime) -> Lead:
    """Say which account a lead belongs to; with None it is found by its events and addresses.

    Raises LeadNotFoundError.
    """
    leads.lock_identities(scope)
    lead = lead_queries.get_lead(scope, lead_id)
    leads.set_account(scope, lead.lead_id, account_id, now=now)
    return _restate(scope, lead.lead_id, now=now)


def patch_account(
    scope: Scope, account_id: str, changes: Mapping[str, Any], *, now: datetime
) -> None:
    """Merge keys into the account's metadata; a null removes its key. Its score follows.

    Raises AccountNotFoundError, and what check_metadata does when it is too large altogether.
    """
    leads.lock_identities(scope)
    account = accounts.get_account(scope, account_id)
    document = set_account_properties(
        scope, account.account_id, changes, current_config(scope), now=now
    )
    check_metadata(to_json(document.properties))


def delete_accounts(
    scope: Scope, account_ids: Collection[str], *, now: datetime
) -> AccountsDeleted:
    """Take leads out of accounts, and delete those that are left empty.

    The leads stay without an account until an event names one.
    """
    leads.lock_identities(scope)
    existing = accounts.find_existing(scope, account_ids)
    members = documents.load(scope, accounts.leads_of(scope, existing))
    at = instant_of(now)
    documents.save_links(
        scope, {lead_id: unlink_by_hand(each.link, at=at) for lead_id, each in members.items()}
    )
    gone = accounts.delete_unused(scope, existing)
    profiles.erase_scores(scope, Side.ACCOUNT, gone)
    accounts.refresh_roll_ups(scope, existing)
    return AccountsDeleted(len(members), len(gone))


def forget_leads(scope: Scope, lead_ids: Collection[str], *, with_accounts: bool = False) -> None:
    """Forget what leads that are about to be deleted were found to be.

    Their accounts go on without them; `with_accounts` those that nobody else belongs to go, too.
    Needs the identities' lock.
    """
    left = set(accounts.accounts_of(scope, lead_ids).values())
    documents.forget(scope, lead_ids)
    profiles.erase_scores(scope, Side.PROFILE, lead_ids)
    if with_accounts:
        gone = accounts.delete_unused(scope, left)
        profiles.erase_scores(scope, Side.ACCOUNT, gone)
    accounts.refresh_roll_ups(scope, left)


def _describe(
    scope: Scope, given: Sequence[GivenLead], *, source: str, now: datetime
) -> LeadsDescribed:
    identities = [Identity(None, each.aliases, source, now, each.decisive) for each in given]
    resolution = leads.resolve_identities(scope, identities, now=now)
    events.move_events(scope, resolution.folded)
    if moved := {*resolution.folded, *resolution.folded.values()}:
        retell_leads(scope, sorted(moved), now=now)
    lead_ids = resolution.lead_ids
    before = {
        lead_id: each.document for lead_id, each in documents.load(scope, set(lead_ids)).items()
    }
    after, refused = dict(before), {}
    for place, (lead_id, each) in enumerate(zip(lead_ids, given, strict=True)):
        changed = set_by_hand(after[lead_id], each.properties, at=now)
        try:
            check_metadata(to_json(changed.properties))
        except LeadvibeError as error:
            refused[place] = error.message
        else:
            after[lead_id] = changed
    if not refused:
        leads.save_documents(scope, before, after, now=now)
        describe_leads(scope, {}, current_config(scope), now=now, restated=set(lead_ids))
    return LeadsDescribed(lead_ids, resolution.created, refused, before, after)


def _restate(scope: Scope, lead_id: str, *, now: datetime) -> Lead:
    """Let follow what follows from a change of one lead."""
    describe_leads(scope, {}, current_config(scope), now=now, restated=[lead_id])
    return lead_queries.get_lead(scope, lead_id)
