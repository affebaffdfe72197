"""Text without regard to case: Unicode simple case folding, character by character.

Lengths and positions stay, so what is found in folded text stands at the same place in the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

_LAST_CASED: Final = 0x1FFFF  # Every letter with case lives in Unicode's first two planes.


def fold_case(text: str) -> str:
    """Make texts that differ only in case the same, character by character."""
    return text.lower() if text.isascii() else text.translate(_folding())


def case_variants(text: str) -> dict[str, str]:
    """Return each non-ASCII character that folds to a character of the text, with that one.

    Whoever replaces these and lowers ASCII can look for the folded text in any other text
    without folding all of that.
    """
    variants = _variants()
    return {variant: char for char in sorted(set(text)) for variant in variants.get(char, "")}


@cache
def _folding() -> Mapping[int, str]:
    pairs = ((code, _folded(chr(code))) for code in range(_LAST_CASED + 1))
    return {code: folded for code, folded in pairs if folded != chr(code)}


def _folded(char: str) -> str:
    """Fold to one character, so that lengths and positions stay: "ß" stays, "ẞ" becomes it."""
    if char == "İ":
        return "i"
    folded = char.casefold()
    if len(folded) > 1:
        folded = char.lower()
    return folded if len(folded) == 1 else char


@cache
def _variants() -> Mapping[str, str]:
    variants: dict[str, str] = {}
    for code, folded in _folding().items():
        if not chr(code).isascii():
            variants[folded] = variants.get(folded, "") + chr(code)
    return variants
