"""`dialogkit pull`."""

from __future__ import annotations

from pathlib import Path

import click

from dialogkit.cli import options, output


@click.command("pull")
@options.forms
@options.workspace
@options.quiet
@click.option("--full", is_flag=True, help="Start from the first submission again; what is known stays as it is.")
def command(forms: tuple[str, ...], folder: Path | None, quiet: bool, full: bool) -> None:
    """Bring new submissions from the form servers into batches."""
    from dialogkit.steps.pull import pull
    from dialogkit.workspace import open_workspace

    workspace = open_workspace(folder)
    for form_id in forms:
        workspace.form_file(form_id)
    with output.progress(quiet) as progress:
        done = pull(workspace, forms, progress, full=full)
    for one in done:
        click.echo(f"{one.form_id}: {one.submissions} submissions in {one.batches} batches")
