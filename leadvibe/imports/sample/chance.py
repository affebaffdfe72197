"""Small questions put to the dice."""

from __future__ import annotations

from random import Random


def chance(rng: Random, probability: float) -> bool:
    return rng.random() < probability


def bounded(value: float, lowest: float, highest: float) -> float:
    return min(max(value, lowest), highest)
