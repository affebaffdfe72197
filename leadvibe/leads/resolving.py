"""Which lead an event belongs to: pure decisions over what is already known.

Precedence: an explicit lead id, else the first known alias by kind, one of the identity's decisive
kind before all others. Unseen aliases attach to the lead. An alias of another lead stays where it
is and is noted as a conflict, except when that lead is a stranger, known by cookies alone: then it
is the same person, and is folded into this one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from leadvibe.leads.types import Alias, AliasKey, AliasKind, Birth, Conflict, Identity

_PRECEDENCE = {kind: rank for rank, kind in enumerate(AliasKind)}


class Resolver:
    """Gives each identity a lead, remembering what it learnt from the ones before.

    Collects `created` leads, `attached` aliases, `folded` leads and `conflicts` for the caller to
    store, and in `causes` the source that an alias was attached or a lead was folded for.
    """

    def __init__(
        self,
        *,
        owners: Mapping[AliasKey, str],
        targets: Mapping[str, str],
        strangers: Collection[str],
        new_lead_id: Callable[[], str],
    ) -> None:
        """`owners` maps known aliases to leads, `targets` existing leads to unmerged ones."""
        self._owners = {key: targets.get(lead, lead) for key, lead in owners.items()}
        self._targets = dict(targets)
        self._strangers = set(strangers)
        self._new_lead_id = new_lead_id
        self.created: dict[str, Birth] = {}
        self.attached: dict[AliasKey, tuple[Alias, str]] = {}
        self.folded: dict[str, str] = {}
        self.causes: dict[AliasKey | str, str] = {}
        self.conflicts: set[Conflict] = set()

    def resolve_all(self, identities: Sequence[Identity]) -> list[str]:
        """Return a lead id for each identity, in order."""
        lead_ids = [self.resolve(identity) for identity in identities]
        return [self._current(lead_id) for lead_id in lead_ids] if self.folded else lead_ids

    def resolve(self, identity: Identity) -> str:
        lead_id = self._named(identity) or self._known(identity) or self._create(identity)
        if any(alias.kind != AliasKind.COOKIE for alias in identity.aliases):
            self._strangers.discard(lead_id)
        for alias in identity.aliases:
            self._attach(alias, lead_id, identity.source)
        return lead_id

    def find(self, identity: Identity) -> str | None:
        """Return whom the identity names, learning nothing from it."""
        if identity.lead_id is not None:
            return self._targets.get(identity.lead_id)
        return self._known(identity)

    def _named(self, identity: Identity) -> str | None:
        if identity.lead_id is None:
            return None
        target = self._targets.get(identity.lead_id)
        return self._current(target) if target else self._create(identity)

    def _known(self, identity: Identity) -> str | None:
        known = [alias for alias in identity.aliases if alias.key in self._owners]
        if not known:
            return None
        best = min(
            known,
            key=lambda alias: (alias.kind != identity.decisive, _PRECEDENCE[AliasKind(alias.kind)]),
        )
        return self._current(self._owners[best.key])

    def _create(self, identity: Identity) -> str:
        made = identity.lead_id or self._new_lead_id()
        has_own_id = identity.lead_id is not None
        self.created[made] = Birth(identity.source, identity.seen_at, has_own_id)
        self._targets[made] = made
        if not has_own_id:
            self._strangers.add(made)
        return made

    def _attach(self, alias: Alias, lead_id: str, source: str) -> None:
        owner = self._owners.get(alias.key)
        if owner is None:
            self._owners[alias.key] = lead_id
            self.attached[alias.key] = (alias, lead_id)
            self.causes[alias.key] = source
            return
        owner = self._current(owner)
        if owner == lead_id:
            return
        if owner in self._strangers and lead_id not in self._strangers:
            self.folded[owner] = lead_id
            self.causes[owner] = source
        else:
            self.conflicts.add(Conflict(lead_id, owner, alias.kind, alias.value))

    def _current(self, lead_id: str) -> str:
        while lead_id in self.folded:
            lead_id = self.folded[lead_id]
        return lead_id

    def settle(self) -> None:
        """Let leads that were created and folded in one go never have existed."""
        for stranger in self.folded:
            self.folded[stranger] = self._current(stranger)
        self.attached = {
            key: (alias, self._current(lead_id)) for key, (alias, lead_id) in self.attached.items()
        }
        for newborn in self.created.keys() & self.folded.keys():
            del self.created[newborn], self.folded[newborn]
