"""What is wrong with a configuration as a whole, field by field. Pure.

That each value is of its kind and within its bounds has been seen to by whoever read it; this is
about what values mean together: names that repeat, levels that overlap, operators that are none.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import pairwise

from leadvibe.engine.conditions import Condition, ConditionError, parse_operator
from leadvibe.engine.levels import find_overlap
from leadvibe.engine.organic import condition_of
from leadvibe.engine.policies import (
    SYSTEM_TYPES,
    AttributeRuleset,
    FieldMapping,
    FieldTest,
    Policies,
    SurgeMode,
    SurgePolicy,
)
from leadvibe.engine.rules import Config, Level, Ruleset
from leadvibe.scoring.defaults import SURGE_PRESETS
from leadvibe.scoring.errors import BadConfigError
from leadvibe.scoring.wording import range_of

Problem = tuple[str, str]
"""The field, as its path in the configuration's JSON, and what is wrong with it."""

REPEATED = "is given twice: make it unique"


def check_config(config: Config, *, prefix: str = "") -> None:
    """Raise BadConfigError that names everything wrong with a configuration."""
    refuse({prefix + field: problem for field, problem in find_problems(config).items()})


def find_problems(config: Config) -> dict[str, str]:
    """Return what is wrong with each field, the first problem of each."""
    problems: dict[str, str] = {}
    for field, problem in _config(config):
        problems.setdefault(field, problem)
    return problems


def refuse(problems: dict[str, str]) -> None:
    """Raise BadConfigError when there are any problems."""
    if problems:
        (field, problem), *others = problems.items()
        more = f" ({len(others)} more in fields)" if others else ""
        raise BadConfigError(f"{field} {problem}.{more}", fields=problems)


def problems_of_surge(
    policy: SurgePolicy, prefix: str = "", *, multiplier: str = "multiplier"
) -> Iterator[Problem]:
    """Yield what is wrong with a surge policy; a preset must be what its name stands for.

    `multiplier` is the field in which a band has its own.
    """
    preset = SURGE_PRESETS.get(policy.mode)
    if preset is not None:
        if policy != preset:
            problem = f"differs from what {policy.mode} stands for: use mode {SurgeMode.CUSTOM}"
            yield f"{prefix}mode", problem
        return
    if not policy.bands:
        yield f"{prefix}bands", "must not be empty in mode custom: give at least one band"
    for place, (lower, higher) in enumerate(pairwise(policy.bands), start=1):
        band = f"{prefix}bands.{place}."
        if higher.min_events <= lower.min_events:
            yield f"{band}min_events", "must be more than that of the band before"
        if higher.multiplier_percent < lower.multiplier_percent:
            yield f"{band}{multiplier}", "must not be less than that of the band before"


def problems_of_conditions(tests: Iterable[FieldTest], prefix: str = "") -> Iterator[Problem]:
    """Yield what is wrong with conditions over metadata."""
    for place, test in enumerate(tests):
        yield from problems_of_test(test, f"{prefix}{place}.")


def problems_of_test(test: FieldTest, prefix: str) -> Iterator[Problem]:
    """Yield what is wrong with one condition."""
    try:
        parse_operator(test.operator)
    except ConditionError as error:
        yield f"{prefix}operator", f"is an {error}"
        return
    try:
        condition_of(test)
    except ConditionError as error:
        yield f"{prefix}{_blamed(test)}", f"does not fit: {error}"


def problems_of_window(
    start_at: datetime | None, end_at: datetime | None, prefix: str = ""
) -> Iterator[Problem]:
    """Yield what is wrong with a window."""
    if start_at and end_at and end_at <= start_at:
        yield f"{prefix}end_at", "is not after start_at"


def _blamed(test: FieldTest) -> str:
    try:
        Condition(test.key, parse_operator("exists"))
    except ConditionError:
        return "key"
    return "value"


def _config(config: Config) -> Iterator[Problem]:
    yield from _rulesets(config.rulesets)
    yield from _levels(config.levels)
    yield from _policies(config.policies)


def _rulesets(rulesets: Sequence[Ruleset]) -> Iterator[Problem]:
    yield from _repeated("rulesets.{}.ruleset_id", (it.ruleset_id for it in rulesets))
    yield from _repeated("rulesets.{}.name", (it.name for it in rulesets))
    yield from _primaries("rulesets", (it.is_primary for it in rulesets))
    rules = [
        (f"rulesets.{place}.rules.{rank}.", rule)
        for place, ruleset in enumerate(rulesets)
        for rank, rule in enumerate(ruleset.rules)
    ]
    yield from _repeats((f"{path}rule_id", rule.rule_id) for path, rule in rules)
    for place, ruleset in enumerate(rulesets):
        yield from problems_of_window(ruleset.start_at, ruleset.end_at, f"rulesets.{place}.")
        types = (rule.event_type for rule in ruleset.rules)
        yield from _repeated(f"rulesets.{place}.rules.{{}}.event_type", types)
    for path, rule in rules:
        yield from problems_of_window(rule.start_at, rule.end_at, path)


def _levels(levels: Sequence[Level]) -> Iterator[Problem]:
    yield from _repeated("levels.{}.level_id", (it.level_id for it in levels))
    yield from _repeated("levels.{}.name", ((it.kind, it.name) for it in levels))
    for place, level in enumerate(levels):
        if level.max_score is not None and level.max_score < level.min_score:
            yield f"levels.{place}.max_score", "is below min_score"
            continue
        for other in levels[:place]:
            if find_overlap((level, other)):
                problem = f"overlaps with {other.name} ({range_of(other)})"
                yield f"levels.{place}.min_score", problem


def _policies(policies: Policies) -> Iterator[Problem]:
    yield from problems_of_surge(policies.surge, "policies.surge.", multiplier="multiplier_percent")
    yield from _ids("decays", "decay_id", (it.decay_id for it in policies.decays))
    velocity, metadata = policies.velocity_filters, policies.metadata_filters
    yield from _ids("velocity_filters", "filter_id", (it.filter_id for it in velocity))
    yield from _ids("metadata_filters", "filter_id", (it.filter_id for it in metadata))
    yield from _ids("metadata_filters", "name", (it.name for it in metadata))
    for place, one in enumerate(metadata):
        prefix = f"policies.metadata_filters.{place}.conditions."
        yield from problems_of_conditions(one.conditions, prefix)
    yield from _mappings("profile_mappings", policies.profile_mappings)
    yield from _mappings("account_mappings", policies.account_mappings)
    yield from _attribute_rulesets("profile_rulesets", policies.profile_rulesets)
    yield from _attribute_rulesets("account_rulesets", policies.account_rulesets)
    for name in sorted(SYSTEM_TYPES & policies.event_types.keys()):
        yield f"policies.event_types.{name}", "is Leadvibe's own: leave it out"


def _mappings(name: str, mappings: Sequence[FieldMapping]) -> Iterator[Problem]:
    yield from _ids(name, "mapping_id", (it.mapping_id for it in mappings))
    pairs = ((it.source_field, it.target_property) for it in mappings)
    yield from _ids(name, "source_field", pairs)


def _attribute_rulesets(name: str, rulesets: Sequence[AttributeRuleset]) -> Iterator[Problem]:
    yield from _ids(name, "ruleset_id", (it.ruleset_id for it in rulesets))
    yield from _ids(name, "name", (it.name for it in rulesets))
    yield from _primaries(f"policies.{name}", (it.is_primary for it in rulesets))
    rules = [
        (f"policies.{name}.{place}.rules.{rank}.", rule)
        for place, ruleset in enumerate(rulesets)
        for rank, rule in enumerate(ruleset.rules)
    ]
    yield from _repeats((f"{path}rule_id", rule.rule_id) for path, rule in rules)
    for path, rule in rules:
        yield from problems_of_test(rule.test, f"{path}test.")


def _ids(name: str, field: str, values: Iterable[Hashable]) -> Iterator[Problem]:
    return _repeated(f"policies.{name}.{{}}.{field}", values)


def _repeated(path: str, values: Iterable[Hashable]) -> Iterator[Problem]:
    return _repeats((path.format(place), value) for place, value in enumerate(values))


def _repeats(named: Iterable[tuple[str, Hashable]]) -> Iterator[Problem]:
    seen: set[Hashable] = set()
    for field, value in named:
        if value in seen:
            yield field, REPEATED
        seen.add(value)


def _primaries(path: str, flags: Iterable[bool]) -> Iterator[Problem]:
    chosen = [place for place, is_primary in enumerate(flags) if is_primary]
    for place in chosen[1:]:
        yield f"{path}.{place}.is_primary", "is true for another one already: only one is primary"
