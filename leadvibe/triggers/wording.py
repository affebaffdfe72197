"""What triggers look for, and what a simulation found, in words. Pure."""

from __future__ import annotations

from leadvibe.engine.triggers import ANY_TYPE, Milestone, Pattern, Sequence, Shape, Step
from leadvibe.triggers.types import Simulation

LONGEST_NAME = 100
"""As members may give one."""


def name_of(shape: Shape) -> str:
    """Return what a trigger is called that nobody has named."""
    name = _described(shape)
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"


def _described(shape: Shape) -> str:
    if isinstance(shape, Milestone):
        through = f" through {shape.event_type}" if shape.event_type else ""
        return f"Score reaches {shape.score_threshold}{through}"
    if isinstance(shape, Sequence):
        joined = ", then " if shape.ordered else " and "
        return joined.join(_step(step) for step in shape.steps)
    if isinstance(shape, Pattern):
        return " and ".join(_times(it.min_count, it.step) for it in shape.counts)
    return _times(shape.threshold_count, Step(shape.event_type))


def _step(step: Step) -> str:
    return "any event" if step.event_type == ANY_TYPE else step.event_type


def _times(count: int, step: Step) -> str:
    return f"{_step(step)}, {count} times" if count > 1 else _step(step)


def words_of_simulation(found: Simulation, *, days: int, lead_name: str | None) -> str:
    """Say in a sentence or two what a trigger would have done, for one lead or for all."""
    span = "in the last day" if days == 1 else f"in the last {days} days"
    if found.left_out:
        left = f" Its filters leave out {lead_name or _leads(found.left_out)}."
    else:
        left = ""
    if not found.total:
        return f"It would not have fired for {lead_name or 'anybody'} {span}.{left}"
    whom = lead_name or _leads(found.total)
    often = "" if found.firings == found.total else f", {found.firings:,} times"
    return f"It would have fired for {whom} {span}{often}.{left}"


def _leads(count: int) -> str:
    return "1 lead" if count == 1 else f"{count:,} leads"
