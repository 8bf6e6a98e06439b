"""`dialogkit land`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dialogkit.cli import options, output
from dialogkit.cli.landed import show_landed

if TYPE_CHECKING:
    from dialogkit.workspace import Workspace


@click.command("land")
@options.forms
@options.workspace
@options.quiet
@options.as_json
@click.option(
    "--rebuild",
    is_flag=True,
    help="Make the whole warehouse anew from all batches, by the forms and rules of today. Decisions stay.",
)
@click.option(
    "--accept-loss",
    is_flag=True,
    help="With --rebuild: go on although decisions or submissions would be lost, which was said before.",
)
def command(
    forms: tuple[str, ...], folder: Path | None, quiet: bool, as_json: bool, rebuild: bool, accept_loss: bool
) -> None:
    """Check the batches that have not been landed and load them into the warehouse."""
    from dialogkit.steps.land import land
    from dialogkit.steps.run import snapshot
    from dialogkit.workspace import open_workspace

    if rebuild and forms:
        raise click.UsageError("--rebuild makes all forms anew and takes no FORM.")
    if accept_loss and not rebuild:
        raise click.UsageError("--accept-loss belongs to --rebuild.")
    workspace = open_workspace(folder)
    if rebuild:
        _rebuild(workspace, quiet=quiet, as_json=as_json, accept_loss=accept_loss)
        return
    for form_id in forms:
        workspace.form_file(form_id)
    with output.progress(quiet) as progress:
        done = land(workspace, forms, progress)
        snapshot(workspace, progress)
    show_landed(done, as_json=as_json)


def _rebuild(workspace: Workspace, *, quiet: bool, as_json: bool, accept_loss: bool) -> None:
    from dialogkit.steps.rebuild import rebuild
    from dialogkit.steps.run import snapshot

    with output.progress(quiet) as progress:
        made = rebuild(workspace, progress, accept_loss=accept_loss)
        snapshot(workspace, progress)
    show_landed(made.landed, as_json=as_json)
    output.say(f"Made anew; batches: {len(made.landed)}, decisions carried over: {made.decisions}.")
    if made.missing:
        output.say(f"Lost: {made.missing.submissions} submissions, {made.missing.versions} versions.")
    if made.aside:
        output.say(f"The file that could not be read is kept, answers and all: {made.aside.name}")
