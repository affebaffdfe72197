"""`leadvibe demo`: everything that `up` runs, with an organisation to look at."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import click

from leadvibe.cli.roles import leadvibe_command
from leadvibe.cli.up import run_everything
from leadvibe.cli.wiring import command_settings, home_option, port_option, running
from leadvibe.lib.clock import utc_now
from leadvibe.lib.supervisor import Role, Supervisor
from leadvibe.settings import DEMO_HOME, Settings, load


@click.command()
@port_option
@home_option
@click.option("--empty", is_flag=True, help="Load no sample data.")
def demo(port: int | None, home: Path | None, empty: bool) -> None:  # noqa: FBT001 - a click flag
    """Run everything with a demo organisation, a user and a year of sample data."""
    settings = load(home=home, port=port, home_name=DEMO_HOME)
    # The demo has a member, if not yet when the web server starts.
    run_everything(settings, announce=_Announcement(empty=empty), web_options=["--no-setup-link"])


@click.command("demo-data", hidden=True)
@home_option
@click.option("--empty", is_flag=True)
def demo_data(home: Path | None, empty: bool) -> None:  # noqa: FBT001 - a click flag
    """Make the demo organisation in a running installation and print its login as JSON.

    A process of its own keeps the supervisor of `demo` small and free of threads.
    """
    from leadvibe.app import create_app  # noqa: PLC0415 - `demo` itself needs no app
    from leadvibe.http.principal import security  # noqa: PLC0415
    from leadvibe.imports.demo import ensure_demo  # noqa: PLC0415
    from leadvibe.lib.queue import JobQueue  # noqa: PLC0415

    settings = running(command_settings(home))
    app = create_app(settings)
    with app.app_context():
        login = ensure_demo(
            home=settings.home,
            security=security(),
            queue=JobQueue(app.extensions["leadvibe.redis"]),
            now=utc_now(),
            progress=lambda line: click.echo(line, err=True),
            sample_data=not empty,
        )
    click.echo(json.dumps({"email": login.email, "password": login.password}))


@dataclass(frozen=True, slots=True)
class _Announcement:
    empty: bool

    def __call__(self, settings: Settings, supervisor: Supervisor) -> None:
        """Load the sample data beside the running workers, then print where to go."""
        command = leadvibe_command("demo-data", "--home", str(settings.home))
        if self.empty:
            command.append("--empty")
        printed = supervisor.run_task(Role(name="demo", command=command))
        if printed is not None:
            login = json.loads(printed)
            supervisor.console.print(
                f"\n  Leadvibe is ready: {settings.public_url}\n\n"
                f"  E-mail    {login['email']}\n"
                f"  Password  {login['password']}\n\n"
                f"  Stop it with Ctrl-C. Its data stays in {settings.home}\n"
            )
