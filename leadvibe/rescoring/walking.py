"""What a preview and a rescore have in common: one worker at a time, found again when it dies."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from leadvibe.identity.types import Scope
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, held_lock, is_outage, rollback
from leadvibe.rescoring import service
from leadvibe.rescoring.queries import lock_key
from leadvibe.rescoring.types import Preview, Rescore

AnyWalk = TypeVar("AnyWalk", Preview, Rescore)


def work_on(
    scope: Scope,
    walk_id: UUID,
    *,
    find: Callable[[Scope, UUID], AnyWalk | None],
    go_on: Callable[[AnyWalk], None],
) -> None:
    """Go on with a walk where it stands; `go_on` commits as it goes.

    Returns at once when another worker is at it or there is nothing to do.
    """
    with held_lock(lock_key(walk_id)) as lock:
        walk = find(scope, walk_id) if lock is not None else None
        if walk is None or walk.is_complete:
            rollback()
            return
        has_begun = service.begin(walk, now=utc_now())
        commit()
        if not has_begun:
            return
        try:
            go_on(walk)
        except Exception as error:
            if is_outage(error):
                raise
            rollback()
            service.note_error(walk, error)
            commit()
            raise
