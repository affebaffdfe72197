"""How hard the tests try: an ordinary run draws a third of the examples that a thorough one does.

`THOROUGH=1 make test` draws them all. What every run must see is no matter of luck, and has a
test of its own.
"""

from __future__ import annotations

import os

IS_THOROUGH = os.environ.get("THOROUGH") == "1"
USUAL = 100
"""How many examples a property gets that asks for no number of its own."""


def examples(thorough: int) -> int:
    """Return how many examples a property draws now, of those that it draws at most."""
    return thorough if IS_THOROUGH else -(-thorough // 3)
