"""Whether this process is asked to end: for loops and streams that have no end of their own."""

from __future__ import annotations

from queue import Empty, SimpleQueue

# Not an Event: its lock would lock up a signal handler that interrupts the thread that holds it.
_announcements: SimpleQueue[None] = SimpleQueue()


def announce_shutdown() -> None:
    """Wake everyone in `wait_for_shutdown`; safe to call from a signal handler."""
    _announcements.put(None)


def wait_for_shutdown(seconds: float) -> bool:
    """Sleep, but not beyond the announcement; True once this process should end."""
    try:
        _announcements.get(timeout=seconds)
    except Empty:
        return False
    _announcements.put(None)  # for the next one who waits
    return True
