"""`python -m leadvibe.cli`, for installations without the `leadvibe` script."""

from __future__ import annotations

from leadvibe.cli import main

main(prog_name="leadvibe")
