"""`dialogkit init`."""

from __future__ import annotations

from pathlib import Path

import click

from dialogkit.cli import output


@click.command("init")
@click.argument("folder", default=".", type=click.Path(path_type=Path, file_okay=False))
@click.option("--name", help="Name of the workspace; by default that of the folder.")
@click.option("--team-contact", default="[contact]", help="Where people write to your team (stands in the forms).")
@click.option("--team-server", default="[server, country]", help="Who runs the server, and in which country.")
def command(folder: Path, name: str | None, team_contact: str, team_server: str) -> None:
    """Make a workspace with the seven forms, their rules and findings."""
    from dialogkit.steps.init import init

    workspace = init(folder, name or folder.resolve().name, team_contact=team_contact, team_server=team_server)
    click.echo(f"{len(workspace.config.forms)} forms in {folder / 'forms'}, settings in {folder / 'dialogkit.toml'}")
    if "[" in team_contact + team_server:
        output.say("Before a form can be served: write team_contact and team_server into dialogkit.toml.")
    output.say("Then: dialogkit serve")
