"""`dialogkit run`."""

from __future__ import annotations

from pathlib import Path

import click

from dialogkit.cli import options, output
from dialogkit.cli.landed import show_landed
from dialogkit.cli.pulled import not_started_line, pulled_line


@click.command("run")
@options.forms
@options.workspace
@options.quiet
@options.pulling
@options.as_json
def command(
    forms: tuple[str, ...], folder: Path | None, quiet: bool, attachments: bool, keys: tuple[Path, ...], as_json: bool
) -> None:
    """Pull what is new, check and load it, and make a snapshot for readers."""
    from dialogkit.steps.pull import Wishes, not_started
    from dialogkit.steps.run import run
    from dialogkit.workspace import open_workspace

    workspace = open_workspace(folder)
    for form_id in forms:
        workspace.form_file(form_id)
    if not forms and (left := not_started(workspace)):
        output.say(not_started_line(left))
    with output.progress(quiet) as progress:
        ran = run(workspace, forms, progress, Wishes(files=attachments, keys=keys))
    for one in ran.pulled:
        output.problems(one.warnings)
        output.say(pulled_line(one))
    show_landed(ran.landed, as_json=as_json)
    if ran.failed is not None:
        raise ran.failed
