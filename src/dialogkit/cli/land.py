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
    from dialogkit.steps.land import land_with_rules
    from dialogkit.steps.run import snapshot
    from dialogkit.workspace import open_workspace

    workspace = open_workspace(folder)
    with output.progress(quiet) as progress:
        done = land_with_rules(workspace, forms, progress)
        snapshot(workspace, progress)
    show_landed([landed for landed, _ in done], [rule for _, rules in done for rule in rules], as_json=as_json)
