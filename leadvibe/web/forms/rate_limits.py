"""The forms of rate limits: the organisation's, and a credential's."""

from __future__ import annotations

from collections.abc import Mapping

from wtforms import SelectField
from wtforms.validators import InputRequired, NumberRange

from leadvibe.identity.checks import MOST_REQUESTS
from leadvibe.identity.types import KeyBy, LimitMode, Rate, RequestLimit
from leadvibe.web.forms.member_form import MemberForm, WholeNumberField
from leadvibe.web.forms.triggers import choices_of

SHARED_BY: Mapping[str, str] = {
    KeyBy.ORG: "The whole organisation",
    KeyBy.UNIT: "Each organisation unit",
    KeyBy.USER: "Each member and API credential",
    KeyBy.CLIENT: "Each API credential; members by their address",
    KeyBy.IP: "Each network address",
}
MODES: Mapping[str, str] = {
    LimitMode.OFF: "Off",
    LimitMode.OBSERVE: "Observed: nothing is refused",
    LimitMode.ENFORCE: "Enforced: what is too much is refused",
}
_BOUNDS = NumberRange(1, MOST_REQUESTS, f"Choose from 1 to {MOST_REQUESTS:,}.")


class RateForm(MemberForm):
    rps = WholeNumberField("Requests a second", [InputRequired("Say how many."), _BOUNDS])
    burst = WholeNumberField("At once after a pause", [InputRequired("Say how many."), _BOUNDS])

    @property
    def rate(self) -> Rate:
        return Rate(self.rps.data or 0, self.burst.data or 0)


class LimitForm(RateForm):
    mode = SelectField("Requests to the API", choices=choices_of(MODES))
    key_by = SelectField("Shared by", choices=choices_of(SHARED_BY))

    @property
    def limit(self) -> RequestLimit:
        return RequestLimit(LimitMode(self.mode.data), KeyBy(self.key_by.data), self.rate)
