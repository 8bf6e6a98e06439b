"""`dialogkit pull`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from dialogkit.cli import options, output
from dialogkit.cli.pulled import not_started_line, pulled_line


@click.command("pull")
@options.forms
@options.workspace
@options.quiet
@click.option("--full", is_flag=True, help="Fetch every submission again; what is known stays as it is.")
@options.pulling
@options.as_json
def command(  # noqa: PLR0913, PLR0917 - one argument for each option
    forms: tuple[str, ...],
    folder: Path | None,
    quiet: bool,
    full: bool,
    attachments: bool,
    keys: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Bring new, changed and deleted submissions from the form servers into batches."""
    from dialogkit.pull.portions import Pulled
    from dialogkit.steps.pull import Wishes, not_started, pull
    from dialogkit.workspace import open_workspace

    workspace = open_workspace(folder)
    for form_id in forms:
        workspace.form_file(form_id)
    if not forms and (left := not_started(workspace)):
        output.say(not_started_line(left))
    done: list[Pulled] = []
    try:
        with output.progress(quiet) as progress:
            pull(workspace, forms, progress, Wishes(full=full, files=attachments, keys=keys), done.append)
    finally:
        # Those that could be pulled are told also when another could not.
        for one in done:
            output.problems(one.warnings)
        if as_json:
            output.data([asdict(one) for one in done])
        else:
            for one in done:
                click.echo(pulled_line(one))
