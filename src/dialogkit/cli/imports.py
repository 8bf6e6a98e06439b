"""`dialogkit import`."""

from __future__ import annotations

from pathlib import Path

import click

from dialogkit.cli import options, output


@click.command("import")
@click.argument("form_id", metavar="FORM")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@options.workspace
@click.option("--coded-by", required=True, help="Who took the values from the page; kept with each value.")
def command(form_id: str, file: Path, folder: Path | None, coded_by: str) -> None:
    """Bring values from published pages, each with its source sentence.

    FILE is a CSV with the columns record, table, field, value, how, source_sentence (and coded_by).
    """
    from dialogkit.steps.imports import import_file
    from dialogkit.workspace import open_workspace

    count = import_file(open_workspace(folder), form_id, file, coded_by)
    click.echo(f"{form_id}: {count} records imported")
    output.say("Now check and load them: dialogkit land")
