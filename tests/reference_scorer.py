"""What a lead's events come to, worked out the slow and obvious way.

Written from the specification alone and sharing no code with leadvibe.engine, so that the two can
be held against each other. Configurations come as the JSON of their snapshots, events as dicts:

    event_id, event_type, at (aware datetime), receipt, version, metadata

Everything is looked up anew for every event, and nothing is carried along that can be counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

Json = Mapping[str, Any]

OWN_TYPES = ("DECAY", "lead_merged", "lead_unmerged")
TWO_SECONDS = timedelta(seconds=2)
UNITS = {"hours": timedelta(hours=1), "days": timedelta(days=1), "weeks": timedelta(weeks=1)}


class ReferenceScorer:
    """Scores one lead under the numbered configurations of its unit.

    `versions` maps a version to (the instant it came into force, its snapshot).
    """

    def __init__(self, versions: Mapping[int, tuple[datetime, Json]]) -> None:
        self.versions = versions

    def score(self, events: Iterable[Json], *, until: datetime | None = None) -> dict[str, Any]:
        """Return the ledger by ruleset, the sessions, and why events did not count.

        Decay is taken up to the last counted event, and up to `until` if that is later.
        """
        ordered = sorted(events, key=lambda event: (event["at"], event["receipt"]))
        reasons = self.find_reasons(ordered)
        counted = [
            event
            for event in ordered
            if event["event_id"] not in reasons and not self.is_only_observed(event)
        ]
        ledger: list[dict[str, Any]] = []
        for place, event in enumerate(counted):
            if place > 0:
                before = counted[place - 1]["at"]
                self.fade(ledger, before, event["at"], latest_version=event["version"])
            self.award(ledger, counted, place)
        if until is not None and counted:
            self.fade(ledger, counted[-1]["at"], until, latest_version=None)
        return {
            "ledger": ledger,
            "scores": {entry["ruleset_id"]: entry["after"] for entry in ledger},
            "sessions": self.sessions(counted),
            "reasons": reasons,
            "counted": [event["event_id"] for event in counted],
        }

    # --- Which events count ---

    def policies(self, event: Json) -> Json:
        _, snapshot = self.versions[event["version"]]
        return snapshot.get("policies") or {"surge": {"bands": [], "idle_reset_seconds": 1800}}

    def is_only_observed(self, event: Json) -> bool:
        decided = self.policies(event).get("event_types", {}).get(event["event_type"], {})
        return event["event_type"] in OWN_TYPES or decided.get("reach") == "observe"

    def find_reasons(self, ordered: Sequence[Json]) -> dict[Any, str]:
        """Metadata filters first, then micro-bursts, then velocity over what is left."""
        reasons = {
            event["event_id"]: "metadata_filter" for event in ordered if self.is_filtered(event)
        }
        left = [event for event in ordered if event["event_id"] not in reasons]
        singles = self.find_singles(left, reasons)
        for place, event in enumerate(singles):
            for velocity in self.velocity_filters(event):
                if not velocity["group_events"] and _is_over(velocity, singles, place):
                    reasons[event["event_id"]] = "inorganic"
        for place, event in enumerate(singles):
            if event["event_id"] not in reasons and self.is_in_burst(singles, place):
                reasons[event["event_id"]] = "inorganic_grouped"
        return reasons

    def is_filtered(self, event: Json) -> bool:
        return any(
            one["enabled"]
            and one["event_type"] in ("", event["event_type"])
            and one["conditions"]
            and all(_holds(condition, event["metadata"]) for condition in one["conditions"])
            for one in self.policies(event).get("metadata_filters", ())
        )

    def velocity_filters(self, event: Json) -> list[Json]:
        filters = self.policies(event).get("velocity_filters", ())
        return [one for one in filters if one["event_type"] == event["event_type"]]

    def find_singles(self, events: Sequence[Json], reasons: dict[Any, str]) -> list[Json]:
        """Leave out what a machine sent at once: alike, within two seconds of one that stays.

        Only events of types that have a velocity filter are compared, each by its own version.
        """
        singles: list[Json] = []
        for event in events:
            filters = self.velocity_filters(event)
            earlier = [
                one for one in singles if _are_alike(one, event) and self.velocity_filters(one)
            ]
            if filters and earlier and event["at"] - earlier[-1]["at"] < TWO_SECONDS:
                is_grouped = any(one["group_events"] for one in filters)
                reasons[event["event_id"]] = "inorganic_grouped" if is_grouped else "inorganic"
            else:
                singles.append(event)
        return singles

    def is_in_burst(self, singles: Sequence[Json], place: int) -> bool:
        """Say whether some window with too many events holds this one, and not as its first.

        The window ends at an event that is under the same filter.
        """
        event = singles[place]
        for velocity in self.velocity_filters(event):
            if not velocity["group_events"]:
                continue
            for end in range(place, len(singles)):
                if velocity not in self.velocity_filters(singles[end]):
                    continue
                window = _window(velocity, singles, end)
                if len(window) > velocity["count_threshold"] and event in window[1:]:
                    return True
        return False

    # --- What they are worth ---

    def award(self, ledger: list[dict[str, Any]], counted: Sequence[Json], place: int) -> None:
        event = counted[place]
        _, snapshot = self.versions[event["version"]]
        policies = self.policies(event)
        decided = policies.get("event_types", {}).get(event["event_type"], {})
        if decided.get("hidden"):
            return
        percent = _percent_of(policies["surge"], self.place_in_run(counted, place))
        for ruleset in snapshot["rulesets"]:
            if not _is_on(ruleset, event["at"]):
                continue
            start = _score(ledger, ruleset["ruleset_id"])
            exact = Fraction(0)
            for rule in ruleset["rules"]:
                if rule["event_type"] != event["event_type"] or not _is_on(rule, event["at"]):
                    continue
                multiplier = percent if rule["weight"] > 0 else 100
                exact += Fraction(rule["weight"] * multiplier, 100)
                reached = start + _half_away_from_zero(exact)
                if not snapshot["allow_negative_scores"]:
                    reached = _floored(start, reached)
                _write(ledger, ruleset["ruleset_id"], reached, {
                    "event_id": event["event_id"], "rule_id": rule["rule_id"], "kind": "event",
                    "version": event["version"], "weight": rule["weight"],
                    "multiplier_percent": multiplier, "occurred_at": event["at"],
                })  # fmt: skip

    def place_in_run(self, counted: Sequence[Json], place: int) -> int:
        """Count back to the last gap that was too long."""
        number = 1
        while place > 0:
            gap = counted[place]["at"] - counted[place - 1]["at"]
            idle = self.policies(counted[place])["surge"]["idle_reset_seconds"]
            if gap > timedelta(seconds=idle):
                break
            number, place = number + 1, place - 1
        return number

    # --- What inactivity takes ---

    def fade(
        self,
        ledger: list[dict[str, Any]],
        last_at: datetime,
        until: datetime,
        *,
        latest_version: int | None,
    ) -> None:
        """Take what is due after the last event and until an instant.

        An event knows only the configurations up to its own, though it may be dated ahead.
        """
        for at, rule, version, allows_negatives in self.due(last_at, until, latest_version):
            for ruleset_id in sorted({entry["ruleset_id"] for entry in ledger}):
                score = _score(ledger, ruleset_id)
                reached = score - rule["decrease"]
                if not allows_negatives:
                    reached = _floored(score, reached)
                if score not in (0, reached):
                    _write(ledger, ruleset_id, reached, {
                        "event_id": None, "rule_id": rule["decay_id"], "kind": "decay",
                        "version": version, "weight": -rule["decrease"],
                        "multiplier_percent": 100, "occurred_at": at,
                    })  # fmt: skip

    def due(
        self, last_at: datetime, until: datetime, latest_version: int | None
    ) -> list[tuple[datetime, Json, int, bool]]:
        found = []
        known = [
            it for it in sorted(self.versions) if latest_version is None or it <= latest_version
        ]
        for number, version in enumerate(known):
            starts_at, snapshot = self.versions[version]
            ends_at = self.versions[known[number + 1]][0] if number + 1 < len(known) else None
            for rule in (snapshot.get("policies") or {}).get("decays", ()):
                period = rule["inactive_for"] * UNITS[rule["unit"]]
                created_at = datetime.fromisoformat(rule["created_at"])
                at = last_at + period
                while at <= until:
                    if at >= starts_at and at >= created_at and (ends_at is None or at < ends_at):
                        allows_negatives = snapshot["allow_negative_scores"]
                        order = (at, created_at, rule["decay_id"])
                        found.append((order, (at, rule, version, allows_negatives)))
                    at += period
        return [one for _, one in sorted(found, key=lambda pair: pair[0])]

    # --- Sessions ---

    def sessions(self, counted: Sequence[Json]) -> list[tuple[datetime, datetime, int]]:
        runs: list[list[Json]] = []
        for event in counted:
            _, snapshot = self.versions[event["version"]]
            pause = timedelta(seconds=snapshot["session_timeout_seconds"])
            if runs and event["at"] - runs[-1][-1]["at"] <= pause:
                runs[-1].append(event)
            else:
                runs.append([event])
        return [(run[0]["at"], run[-1]["at"], len(run)) for run in runs]


def _window(velocity: Json, singles: Sequence[Json], end: int) -> list[Json]:
    """Return the events of the type from after `end`'s instant less the window, up to `end`."""
    since = singles[end]["at"] - timedelta(milliseconds=velocity["time_window_ms"])
    return [
        event
        for event in singles[: end + 1]
        if event["event_type"] == velocity["event_type"] and event["at"] > since
    ]


def _is_over(velocity: Json, singles: Sequence[Json], place: int) -> bool:
    return len(_window(velocity, singles, place)) > velocity["count_threshold"]


def _are_alike(one: Json, other: Json) -> bool:
    def plain(event: Json) -> Json:
        return {key: value for key, value in event["metadata"].items() if key != "url"}

    return one["event_type"] == other["event_type"] and plain(one) == plain(other)


def _holds(condition: Json, metadata: Json) -> bool:
    """Say whether a condition over one plain, top-level property holds."""
    value, wanted = metadata.get(condition["key"]), condition["value"]
    match condition["operator"]:
        case "exists":
            return value not in (None, "")
        case "equals":
            return str(value).lower() == str(wanted).lower()
        case "not_equals":
            return str(value).lower() != str(wanted).lower()
        case "contains":
            return value is not None and str(wanted).lower() in str(value).lower()
        case "gt":
            return isinstance(value, int | float) and value > wanted
    raise AssertionError(f"the reference does not know {condition['operator']}")


def _is_on(thing: Json, at: datetime) -> bool:
    start, end = (
        None if thing[name] is None else datetime.fromisoformat(thing[name])
        for name in ("start_at", "end_at")
    )
    return thing["active"] and (start is None or start <= at) and (end is None or at < end)


def _percent_of(surge: Json, number: int) -> int:
    reached = [band for band in surge["bands"] if band["min_events"] <= number]
    if not reached:
        return 100
    highest = max(reached, key=lambda band: band["min_events"])
    return min(highest["multiplier_percent"], surge["cap_percent"])


def _floored(before: int, reached: int) -> int:
    """Stop at 0; a score that is below already, from when that was allowed, does not sink."""
    return reached if reached >= 0 else max(reached, min(before, 0))


def _half_away_from_zero(exact: Fraction) -> int:
    whole = int(abs(exact) + Fraction(1, 2))
    return whole if exact >= 0 else -whole


def _score(ledger: Sequence[Json], ruleset_id: str) -> int:
    return sum(entry["delta"] for entry in ledger if entry["ruleset_id"] == ruleset_id)


def _write(
    ledger: list[dict[str, Any]], ruleset_id: str, reached: int, facts: dict[str, Any]
) -> None:
    before = _score(ledger, ruleset_id)
    seq = 1 + sum(entry["ruleset_id"] == ruleset_id for entry in ledger)
    ledger.append({
        "ruleset_id": ruleset_id, "seq": seq, "before": before, "delta": reached - before,
        "after": reached, **facts,
    })  # fmt: skip
