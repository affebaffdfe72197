"""The rows of the call list: whom to call, how, and when that was due."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from leadvibe.engine.levels import LevelCut
from leadvibe.identity.permissions import Permission, can
from leadvibe.identity.types import Principal
from leadvibe.leadlist.calls import Callee
from leadvibe.leads.addresses import path_segment
from leadvibe.web.forms.calls import LogCallForm
from leadvibe.web.lead_paths import lead_path
from leadvibe.web.level_badges import badge_of
from leadvibe.web.pages.calls import CallRow
from leadvibe.web.pages.display import Moment, Tone, query_url, thousands
from leadvibe.web.recorded_filter import STATUS_LABELS

CALLS = "/app/calls"
_NOT_DIALLED = re.compile(r"[^0-9+*#]")


class CallRows:
    """Builds rows; a form that was refused, `draft`, stands open at the lead it is about."""

    def __init__(
        self,
        principal: Principal,
        levels: LevelCut,
        *,
        back: dict[str, str],
        draft: tuple[str, LogCallForm] | None,
        now: datetime,
    ) -> None:
        self._can_edit = principal.is_member and can(principal, Permission.WRITE_DATA)
        self._levels, self._back, self._draft, self._now = levels, back, draft, now
        self._forms = 0

    def build(self, callees: Sequence[Callee]) -> tuple[CallRow, ...]:
        return tuple(map(self._row, callees))

    def _row(self, callee: Callee) -> CallRow:
        line, record = callee
        due = record.fields["next_call_at"]
        is_overdue = due is not None and due < self._now
        is_held = record.holder_at(self._now) is not None
        is_draft = self._draft is not None and self._draft[0] == line.lead_id
        return CallRow(
            name=line.name,
            url=lead_path(line.lead_id),
            company=record.fields["company"] or "",
            phone=record.phone or "",
            phone_url=f"tel:{_NOT_DIALLED.sub('', record.phone or '')}",
            email=record.email or "",
            score=thousands(line.score),
            level=badge_of(self._levels, line.score),
            status=STATUS_LABELS[record.status],
            holder=(line.owner_name or "Somebody") if is_held else "",
            due=Moment.of(due) if due else None,
            due_label="Overdue" if is_overdue else "Today",
            due_tone=Tone.BAD if is_overdue else Tone.INFO,
            last_event=line.last_event_type or "",
            last_at=Moment.of(line.last_event_at) if line.last_event_at else None,
            claim_url="" if is_held or not self._can_edit else self._url(line.lead_id, "claim"),
            log_url=self._url(line.lead_id, "log") if self._can_edit else "",
            form=self._form(line.lead_id) if self._can_edit else None,
            is_open=is_draft,
        )

    def _url(self, lead_id: str, act: str) -> str:
        return query_url(f"{CALLS}/{path_segment(lead_id)}/{act}", self._back)

    def _form(self, lead_id: str) -> LogCallForm:
        self._forms += 1
        is_draft = self._draft is not None and self._draft[0] == lead_id
        form = self._draft[1] if self._draft and is_draft else LogCallForm()
        return form.number(self._forms)
