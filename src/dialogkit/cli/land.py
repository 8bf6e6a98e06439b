"""`dialogkit land`."""

from __future__ import annotations

from pathlib import Path

import click

from dialogkit.cli import options, output
from dialogkit.cli.landed import show_landed


@click.command("land")
@options.forms
@options.workspace
@options.quiet
@options.as_json
def command(forms: tuple[str, ...], folder: Path | None, quiet: bool, as_json: bool) -> None:
    """Check the batches that have not been landed and load them into the warehouse."""
    from dialogkit.steps.land import land
    from dialogkit.steps.run import snapshot
    from dialogkit.workspace import open_workspace

    workspace = open_workspace(folder)
    for form_id in forms:
        workspace.form_file(form_id)
    with output.progress(quiet) as progress:
        done = land(workspace, forms, progress)
        snapshot(workspace, progress)
    show_landed(done, as_json=as_json)
