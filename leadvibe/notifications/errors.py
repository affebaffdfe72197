"""What can go wrong on the way to somebody."""

from __future__ import annotations


class TransportError(Exception):
    """A message did not get through; `is_temporary` says whether trying again may help."""

    def __init__(self, message: str, *, is_temporary: bool) -> None:
        super().__init__(message)
        self.is_temporary = is_temporary
