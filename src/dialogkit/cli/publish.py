"""`dialogkit publish`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from dialogkit.cli import options, output


@click.command("publish")
@click.option("--to", type=click.Path(path_type=Path), help="The folder; by default releases/<date>-<n>.")
@click.option("--sign-off", metavar="NAME", help="Who answers for this release.")
@options.workspace
def command(to: Path | None, sign_off: str | None, folder: Path | None) -> None:
    """Write a release of de-identified extracts, or say why not (exit 10)."""
    from dialogkit.steps.publish import publish
    from dialogkit.workspace import open_workspace

    release = publish(open_workspace(folder), to=to, sign_off=sign_off, today=datetime.now(UTC).date())
    click.echo(str(release.folder))
    manifest = release.manifest
    for form in manifest["forms"]:
        output.say(f"{form['form_id']}: {form['published']} of {form['accepted']} accepted records are in the release.")
        for why, count in (form["left_out"] | form["reduced"]).items():
            if count:
                output.say(f"  {count}: {why}")
    output.say("Columns left out:")
    for why, count in manifest["columns_left_out"].items():
        output.say(f"  {count}: {why}")
    if manifest["findings_left_out"]:
        output.say(f"Findings left out: {manifest['findings_left_out']}.")
    if not manifest["sign_off"]:
        output.say("Nobody has signed it off. To name who answers for it: dialogkit publish --sign-off NAME")
