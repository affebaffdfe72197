#!/usr/bin/env python3
"""Check, without a network, that the lock files still fit pyproject.toml and one another."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
RUN_LOCK, DEV_LOCK = "requirements.lock", "requirements-dev.lock"

PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)", re.MULTILINE)
HASH = "--hash=sha256:"


def main() -> int:
    """Print what does not fit; the exit code is 1 when something does not."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    run, dev = _pins(RUN_LOCK), _pins(DEV_LOCK)
    problems = [
        *_unmet(RUN_LOCK, run, [*project["dependencies"], *extras["build"]]),
        *_unmet(DEV_LOCK, dev, [*project["dependencies"], *extras["build"], *extras["dev"]]),
        *(
            f"{name} is {version} in {RUN_LOCK} and {dev.get(name, 'absent')} in {DEV_LOCK}"
            for name, version in run.items()
            if dev.get(name) != version
        ),
        *_without_hash(RUN_LOCK),
        *_without_hash(DEV_LOCK),
    ]
    for problem in problems:
        print(f"{problem}: run `make lock`")  # noqa: T201 - a report for a terminal
    return 1 if problems else 0


def _pins(lock: str) -> dict[str, str]:
    found = PIN.finditer((ROOT / lock).read_text())
    return {canonicalize_name(pin["name"]): pin["version"] for pin in found}


def _unmet(lock: str, pins: dict[str, str], requirements: list[str]) -> list[str]:
    problems = []
    for requirement in map(Requirement, requirements):
        version = pins.get(canonicalize_name(requirement.name))
        if version is None or not requirement.specifier.contains(version, prereleases=True):
            problems.append(
                f"{lock} has {requirement.name} {version or 'nowhere'}, not {requirement}"
            )
    return problems


def _without_hash(lock: str) -> list[str]:
    """Return the pins that no hash follows: pip would refuse the whole file."""
    entries = re.split(r"^(?=\S)", (ROOT / lock).read_text(), flags=re.MULTILINE)
    return [
        f"{lock} has no hash for {pin['name']}"
        for entry in entries
        if (pin := PIN.match(entry)) and HASH not in entry
    ]


if __name__ == "__main__":
    sys.exit(main())
