"""`dialogkit query`."""

from __future__ import annotations

from pathlib import Path

import click

from dialogkit.cli import options, output


@click.command("query")
@click.argument("statement", metavar="SQL")
@options.workspace
@options.table_format
def command(statement: str, folder: Path | None, form: str) -> None:
    """Ask the newest snapshot in SQL (DuckDB), read only.

    Example: dialogkit query "select country, count(*) n from accepted.local_dialogue group by 1"
    """
    from dialogkit.steps.query import query
    from dialogkit.workspace import open_workspace

    columns, rows = query(open_workspace(folder), statement)
    output.rows_as(form, columns, rows)
