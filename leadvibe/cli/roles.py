"""The processes of an installation, and the command lines that name them."""

from __future__ import annotations

import sys
from pathlib import Path

from leadvibe.lib.supervisor import Role
from leadvibe.settings import Settings


def leadvibe_command(*arguments: str) -> list[str]:
    """Return the command line of this same installation's `leadvibe`.

    Unbuffered, because its output is a pipe and should be seen line by line.
    """
    script = Path(sys.executable).with_name("leadvibe")
    program = [str(script)] if script.exists() else ["-m", "leadvibe.cli"]
    return [sys.executable, "-u", *program, *arguments]


def web_role(settings: Settings, *options: str) -> Role:
    command = leadvibe_command(
        "serve", "--port", str(settings.port), "--home", str(settings.home), *options
    )
    return Role(name="web", command=command, essential=True)


def background_role(name: str, settings: Settings) -> Role:
    command = leadvibe_command("worker", "--role", name, "--home", str(settings.home))
    return Role(name=name, command=command)
