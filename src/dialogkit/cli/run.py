"""`dialogkit run`."""

from __future__ import annotations

from pathlib import Path

import click

from dialogkit.cli import options, output
from dialogkit.cli.landed import show_landed


@click.command("run")
@options.forms
@options.workspace
@options.quiet
@options.as_json
def command(forms: tuple[str, ...], folder: Path | None, quiet: bool, as_json: bool) -> None:
    """Pull what is new, check and load it, and make a snapshot for readers."""
    from dialogkit.steps.run import run
    from dialogkit.workspace import open_workspace

    workspace = open_workspace(folder)
    for form_id in forms:
        workspace.form_file(form_id)
    with output.progress(quiet) as progress:
        ran = run(workspace, forms, progress)
    show_landed(ran.landed, as_json=as_json)
