"""The `leadvibe` command: one module for each command or group of commands.

A module is imported only when its command runs, so that `leadvibe doctor` does not wait for the
web framework.
"""

from __future__ import annotations

import gc
from importlib import import_module
from typing import Any

import click

from leadvibe.lib import memory
from leadvibe.lib.errors import LeadvibeError
from leadvibe.settings import SettingsError

# The name of each command, and where it is: "module:attribute" inside this package.
COMMANDS = {
    "credential": "identity:credential",
    "db": "db:db",
    "demo": "demo:demo",
    "demo-data": "demo:demo_data",
    "doctor": "doctor:doctor",
    "import": "data:import_group",
    "scores": "data:scores",
    "serve": "servers:serve",
    "up": "up:up",
    "user": "identity:user",
    "worker": "servers:worker",
}


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        # Loading makes many objects and no garbage: looking for it took a sixth of the time.
        gc.set_threshold(memory.YOUNG_OBJECTS)
        module, attribute = COMMANDS[cmd_name].split(":")
        command = getattr(import_module(f"{__name__}.{module}"), attribute)
        assert isinstance(command, click.Command)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what is wrong with its surroundings ends it with one line."""
        try:
            return super().invoke(ctx)
        except (LeadvibeError, SettingsError) as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="leadvibe")
def main() -> None:
    """Lead scoring where every point is accounted for."""
