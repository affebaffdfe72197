"""Who leads are: what events say of them and their accounts, where they belong, what that is worth.

One step for many leads, whatever brought it about: mappings are applied, leads linked to accounts,
which are made when they are new, and whoever has changed by that is scored anew. All of it needs
the identities' lock and flushes without committing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from leadvibe.engine.account import (
    ACCOUNT_KEYS,
    UNRESOLVED,
    Link,
    LinkedBy,
    account_named_in,
    settle_link,
)
from leadvibe.engine.mapping import Document, Mapper, Told, set_by_hand
from leadvibe.engine.profile import AttributeScore, AttributeScorer, scorers_of
from leadvibe.engine.rules import Config
from leadvibe.events.telling import stream_told
from leadvibe.identity.types import Scope
from leadvibe.leads import accounts, documents
from leadvibe.leads import service as leads
from leadvibe.leads.documents import Description
from leadvibe.scoring import profiles
from leadvibe.scoring.profiles import Side

Stories = Mapping[str, Sequence[Told]]
"""What events told, by lead."""


class Described(NamedTuple):
    """How many leads have other properties, came to an account or were scored."""

    updated: int = 0
    linked: int = 0
    accounts_created: int = 0
    scored: int = 0


NOTHING = Described()


class Describer:
    """A configuration as far as it is about who leads are, made ready for many of them."""

    def __init__(self, config: Config) -> None:
        policies = config.policies
        negative = config.allow_negative_scores
        self.version = config.version
        self.links = policies.abm_enabled
        self.profile = Mapper(policies.profile_mappings)
        self.account = Mapper(policies.account_mappings if self.links else ())
        self.profile_scorers = scorers_of(policies.profile_rulesets, allow_negative=negative)
        self.account_scorers = (
            scorers_of(policies.account_rulesets, allow_negative=negative) if self.links else ()
        )
        primary = profiles.primary_of(policies.account_rulesets)
        self.headline = primary.ruleset_id if primary else None
        self.keys = self.profile.keys | self.account.keys | self._account_keys()

    def __bool__(self) -> bool:
        return bool(self.profile or self.profile_scorers or self.links)

    def hears(self, metadata: Mapping[str, Any]) -> bool:
        """Say whether an event with this metadata tells anything of a lead or its account."""
        if self.keys.isdisjoint(metadata):
            return False
        return (
            self.profile.hears(metadata)
            or self.account.hears(metadata)
            or (self.links and account_named_in(metadata) is not None)
        )

    def _account_keys(self) -> frozenset[str]:
        return frozenset(ACCOUNT_KEYS if self.links else ())


def is_needed(config: Config) -> bool:
    """Say whether a configuration asks for any of this: without, there is nothing to collect."""
    return bool(Describer(config))


def describe_leads(
    scope: Scope,
    told: Stories,
    config: Config,
    *,
    now: datetime,
    rebuilt: Collection[str] = (),
    restated: Collection[str] = (),
) -> Described:
    """Take in what new events told, which are stored and count, of all leads they are about.

    Also of leads of whom they told nothing, which may be new. `rebuilt` are leads whose past has
    changed: they are found anew from all their events. `restated` are those that somebody has
    changed by hand.
    """
    return begin(scope, told, config, now=now, rebuilt=rebuilt, restated=restated).finish()


def begin(
    scope: Scope,
    told: Stories,
    config: Config,
    *,
    now: datetime,
    rebuilt: Collection[str] = (),
    restated: Collection[str] = (),
) -> Step:
    """Read what `describe_leads` has to know, so that its `finish` need not wait for it."""
    return Step(scope, Describer(config), told, whole=rebuilt, restated=restated, now=now)


def redescribe_leads(
    scope: Scope,
    lead_ids: Collection[str],
    config: Config,
    *,
    is_thorough: bool = False,
    now: datetime,
) -> Described:
    """Describe leads from all their events, as the configuration says now.

    What events brought that are gone is kept. A thorough step scores those, too, whom it does not
    change, and links again who was unlinked from an account. Accounts hear of it all, but forget
    nothing: see redescribe_accounts.
    """
    step = Step(
        scope,
        Describer(config),
        {},
        whole=lead_ids,
        now=now,
        keeps_orphans=True,
        is_thorough=is_thorough,
    )
    return step.finish()


def redescribe_accounts(
    scope: Scope, account_ids: Collection[str], config: Config, *, now: datetime
) -> None:
    """Describe accounts from all events of their leads, as the configuration says now."""
    describer = Describer(config)
    before = accounts.load_documents(scope, account_ids)
    members = accounts.leads_of(scope, account_ids)
    after = {account_id: describer.account.forget(each) for account_id, each in before.items()}
    for lead_id, told in stream_told(scope, members, keys=describer.account.keys):
        account_id = members[lead_id]
        after[account_id] = describer.account.apply(after[account_id], told)
    recalled = {
        account_id: describer.account.recall(before[account_id], fresh)
        for account_id, fresh in after.items()
    }
    accounts.save_documents(scope, before, recalled, now=now)
    _score_accounts(scope, describer, recalled, {}, now=now)
    accounts.refresh_roll_ups(scope, before)


def set_account_properties(
    scope: Scope,
    account_id: str,
    changes: Mapping[str, Any],
    config: Config,
    *,
    now: datetime,
) -> Document:
    """Set properties of an account as somebody wants them, and score it; a null takes one away."""
    before = accounts.load_documents(scope, [account_id])
    after = {it: set_by_hand(each, changes, at=now) for it, each in before.items()}
    accounts.save_documents(scope, before, after, now=now)
    _score_accounts(scope, Describer(config), after, {}, now=now)
    return after[account_id]


class Step:
    """One step for many leads, of whom it knows how they were before."""

    def __init__(
        self,
        scope: Scope,
        describer: Describer,
        told: Stories,
        *,
        whole: Collection[str],
        restated: Collection[str] = (),
        now: datetime,
        keeps_orphans: bool = False,
        is_thorough: bool = False,
    ) -> None:
        self._scope = scope
        self._describer = describer
        self._told = told
        self._whole = set(whole)
        self._now = now
        self._keeps_orphans = keeps_orphans
        self._is_thorough = is_thorough
        unscored = self._find_unscored(told.keys() | self._whole)
        self._afresh = {*restated, *unscored, *(whole if is_thorough else ())}
        chosen = self._choose({*whole, *restated, *unscored}) if describer else ()
        self._found = documents.load(scope, chosen)
        self._before = {lead_id: each.document for lead_id, each in self._found.items()}
        self._after: dict[str, Document] = {}
        self._stored: set[str] = set()

    def give_properties(self, lead_ids: Collection[str]) -> dict[str, Mapping[str, Any]]:
        """Return new properties of those of the leads that have any, for the caller to store."""
        self._after = self._map(self._told, self._before.keys() - self._whole)
        given = {
            lead_id: document.properties
            for lead_id, document in self._after.items()
            if lead_id in lead_ids
            and document.properties is not self._before[lead_id].properties
            and not leads.is_renamed(self._before[lead_id], document)
        }
        self._stored = set(given)
        return given

    def finish(self) -> Described:
        """Describe leads; whole ones from all their events, others from what is told of them."""
        if not self._describer:
            return NOTHING
        found, told, whole = self._found, self._told, self._whole
        if whole:
            told = {**told, **dict.fromkeys(whole, ()), **self._history(whole)}
        before = self._before
        after = self._after | self._map(told, before.keys() - self._after.keys())
        changed = leads.save_documents(
            self._scope, before, after, stored=self._stored, now=self._now
        )
        linked, created = 0, 0
        if self._describer.links:
            links = self._link(found, after, told, whole)
            linked, created = self._settle(found, links, told, whole)
        afresh = self._afresh
        scored = after.keys() & {*changed, *afresh}
        self._score({it: after[it] for it in scored}, {it: before[it] for it in scored - afresh})
        return Described(
            updated=len(changed),
            linked=linked,
            accounts_created=created,
            scored=len(scored) if self._describer.profile_scorers else 0,
        )

    def _history(self, lead_ids: Collection[str]) -> dict[str, Sequence[Told]]:
        """Return all that events told of leads, no more of it than anybody listens to."""
        keys = self._describer.keys
        if not keys:
            return {}
        return {
            lead_id: [_slim(each, keys) for each in events]
            for lead_id, events in stream_told(self._scope, lead_ids, keys=keys)
        }

    def _choose(self, chosen: set[str]) -> set[str]:
        """Return the leads that have to be looked at: the fewer, the quicker."""
        hears = self._describer.hears
        for lead_id, events in self._told.items():
            if any(hears(each.metadata) for each in events):
                chosen.add(lead_id)
        if self._describer.links:
            chosen |= documents.find_unlinked(self._scope, self._told.keys() - chosen)
        return chosen

    def _find_unscored(self, lead_ids: Collection[str]) -> set[str]:
        """Return new leads that are worth something for what nobody knows about them."""
        blank = [it.ruleset_id for it in self._describer.profile_scorers if it.score({}).matched]
        if not blank:
            return set()
        return profiles.find_unscored(self._scope, Side.PROFILE, lead_ids, blank)

    def _map(self, told: Stories, lead_ids: Collection[str]) -> dict[str, Document]:
        mapper = self._describer.profile
        before, whole = self._before, self._whole
        if not mapper:
            return {lead_id: before[lead_id] for lead_id in lead_ids}
        return {
            lead_id: mapper.rebuild(
                before[lead_id], told.get(lead_id, ()), keeps_orphans=self._keeps_orphans
            )
            if lead_id in whole
            else mapper.apply(before[lead_id], told.get(lead_id, ()))
            for lead_id in lead_ids
        }

    def _link(
        self,
        found: Mapping[str, Description],
        after: Mapping[str, Document],
        told: Stories,
        whole: set[str],
    ) -> dict[str, Link]:
        """Return where each lead belongs now."""
        current = {
            lead_id: self._loosen(each.link) if lead_id in whole else each.link
            for lead_id, each in found.items()
        }
        emails = documents.list_emails(
            self._scope, [it for it, link in current.items() if link.by not in _SETTLED]
        )
        return {
            lead_id: settle_link(
                link,
                told=told.get(lead_id, ()),
                metadata=after[lead_id].properties,
                emails=emails.get(lead_id, ()),
            )
            for lead_id, link in current.items()
        }

    def _loosen(self, link: Link) -> Link:
        """Take back what was found, but not what somebody decided."""
        if link.by is not LinkedBy.HAND:
            return UNRESOLVED._replace(since=link.since)
        is_unlinked = link.account_id is None
        return UNRESOLVED._replace(since=link.since) if is_unlinked and self._is_thorough else link

    def _settle(
        self,
        found: Mapping[str, Description],
        links: Mapping[str, Link],
        told: Stories,
        whole: set[str],
    ) -> tuple[int, int]:
        """Store where leads belong, and let their accounts hear what was told.

        Returns how many leads came to an account, and how many of these are new.
        """
        scope = self._scope
        changed = {it: link for it, link in links.items() if link != found[it].link}
        moved = {it for it, link in changed.items() if link.account_id != found[it].link.account_id}
        members = {it: link.account_id for it, link in links.items() if link.account_id is not None}
        newly = {it: members[it] for it in {*moved, *whole} if it in members}
        created = accounts.ensure_accounts(scope, set(newly.values()), now=self._now)
        documents.save_links(scope, changed)
        self._tell_accounts(members, told, newcomers=moved - whole, created=created)
        left = {found[it].link.account_id for it in moved}
        accounts.refresh_roll_ups(scope, {*left, *created, *(members.get(it) for it in moved)})
        return sum(it in members for it in moved), len(created)

    def _tell_accounts(
        self,
        members: Mapping[str, str],
        told: Stories,
        *,
        newcomers: Collection[str],
        created: Sequence[str],
    ) -> None:
        """Let accounts hear what their leads tell, and of newcomers all that they ever told."""
        mapper = self._describer.account
        stories: dict[str, list[Told]] = {}
        if mapper:
            history = {it: members[it] for it in newcomers if it in members}
            for lead_id, events in stream_told(self._scope, history, keys=mapper.keys):
                stories.setdefault(members[lead_id], []).extend(
                    _slim(it, mapper.keys) for it in events
                )
            for lead_id in members.keys() - history.keys():
                heard = [it for it in told.get(lead_id, ()) if mapper.hears(it.metadata)]
                if heard:
                    stories.setdefault(members[lead_id], []).extend(heard)
        before = accounts.load_documents(self._scope, {*stories, *created})
        after = {it: mapper.apply(each, stories.get(it, ())) for it, each in before.items()}
        changed = accounts.save_documents(self._scope, before, after, now=self._now)
        stale = {it: after[it] for it in {*changed, *created}}
        known = {it: before[it] for it in changed.keys() - set(created)}
        _score_accounts(self._scope, self._describer, stale, known, now=self._now)

    def _score(self, after: Mapping[str, Document], before: Mapping[str, Document]) -> None:
        """Score leads that have changed; those that are in `before` only where that shows."""
        describer = self._describer
        scores = _scores(describer.profile_scorers, after, before)
        profiles.save_scores(
            self._scope, Side.PROFILE, scores, version=describer.version, now=self._now
        )


_SETTLED = frozenset({LinkedBy.HAND, LinkedBy.EVENT, LinkedBy.DOMAIN})
"""Links that no e-mail address changes."""


def _score_accounts(
    scope: Scope,
    describer: Describer,
    after: Mapping[str, Document],
    before: Mapping[str, Document],
    *,
    now: datetime,
) -> None:
    """Score accounts; those that are in `before` only where that shows."""
    scores = _scores(describer.account_scorers, after, before)
    profiles.save_scores(scope, Side.ACCOUNT, scores, version=describer.version, now=now)
    headlines = {
        account_id: found[describer.headline].score
        for account_id, found in scores.items()
        if describer.headline in found
    }
    accounts.save_scores(scope, headlines)


def _scores(
    scorers: Iterable[AttributeScorer],
    after: Mapping[str, Document],
    before: Mapping[str, Document],
) -> dict[str, dict[UUID, AttributeScore]]:
    """Return the scores that are not what they were; who has no before had none."""
    scores: dict[str, dict[UUID, AttributeScore]] = {}
    for subject, document in after.items():
        old = before.get(subject)
        for scorer in scorers:
            score = scorer.score(document.properties)
            if old is None or score != scorer.score(old.properties):
                scores.setdefault(subject, {})[scorer.ruleset_id] = score
    return scores


def _slim(told: Told, keys: Collection[str]) -> Told:
    """Leave out what nobody listens to: of a long history only that fits into memory."""
    metadata = told.metadata
    return told._replace(metadata={key: metadata[key] for key in keys if key in metadata})
