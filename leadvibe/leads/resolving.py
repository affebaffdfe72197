"""Which lead an event belongs to: pure decisions over what is already known.

Precedence: an explicit lead id, else the first known alias by kind. Unseen aliases
attach to the lead; an alias of another lead stays where it is and is noted as a conflict.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from leadvibe.leads.types import Alias, AliasKey, AliasKind, Birth, Conflict, Identity

_PRECEDENCE = {kind: rank for rank, kind in enumerate(AliasKind)}


class Resolver:
    """Gives each identity a lead, remembering what it learnt from the ones before.

    Collects `created` leads, `attached` aliases and `conflicts` for the caller to store.
    """

    def __init__(
        self,
        *,
        owners: Mapping[AliasKey, str],
        targets: Mapping[str, str],
        new_lead_id: Callable[[], str],
    ) -> None:
        """`owners` maps known aliases to leads, `targets` existing leads to unmerged ones."""
        self._owners = {key: targets.get(lead, lead) for key, lead in owners.items()}
        self._targets = dict(targets)
        self._new_lead_id = new_lead_id
        self.created: dict[str, Birth] = {}
        self.attached: dict[AliasKey, tuple[Alias, str]] = {}
        self.conflicts: set[Conflict] = set()

    def resolve_all(self, identities: Sequence[Identity]) -> list[str]:
        """Return a lead id for each identity, in order."""
        return [self.resolve(identity) for identity in identities]

    def resolve(self, identity: Identity) -> str:
        lead_id = self._named(identity) or self._known(identity) or self._create(identity)
        for alias in identity.aliases:
            self._attach(alias, lead_id)
        return lead_id

    def _named(self, identity: Identity) -> str | None:
        if identity.lead_id is None:
            return None
        target = self._targets.get(identity.lead_id)
        return target or self._create(identity)

    def _known(self, identity: Identity) -> str | None:
        known = [alias for alias in identity.aliases if alias.key in self._owners]
        if not known:
            return None
        best = min(known, key=lambda alias: _PRECEDENCE[AliasKind(alias.kind)])
        return self._owners[best.key]

    def _create(self, identity: Identity) -> str:
        made = identity.lead_id or self._new_lead_id()
        self.created[made] = Birth(identity.source, identity.seen_at)
        self._targets[made] = made
        return made

    def _attach(self, alias: Alias, lead_id: str) -> None:
        owner = self._owners.get(alias.key)
        if owner is None:
            self._owners[alias.key] = lead_id
            self.attached[alias.key] = (alias, lead_id)
        elif owner != lead_id:
            self.conflicts.add(Conflict(lead_id, owner, alias.kind, alias.value))
