"""A believable year of a SaaS company, made up from a seed; see `generate`.

Pure: no database, clock or global dice. Every name, address and number is invented; domains end in
`.example` or `.test` and phone numbers lie in 555-0100 to 555-0199, all of them reserved.
"""

from __future__ import annotations

from leadvibe.imports.sample.rulesets import SAMPLE_RULESETS
from leadvibe.imports.sample.types import (
    SampleEvent,
    SampleLead,
    SampleRecord,
    SampleRule,
    SampleRuleset,
    SampleYear,
)
from leadvibe.imports.sample.year import REPS, generate

__all__ = [
    "REPS",
    "SAMPLE_RULESETS",
    "SampleEvent",
    "SampleLead",
    "SampleRecord",
    "SampleRule",
    "SampleRuleset",
    "SampleYear",
    "generate",
]
