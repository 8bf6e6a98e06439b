"""`dialogkit query`."""

from __future__ import annotations

from pathlib import Path

import click

from dialogkit.cli import options, output


@click.command("query")
@click.argument("statement", metavar="SQL")
@click.option(
    "--as-of",
    metavar="TIME",
    help="Read every table as it was then: a date (the end of that day, UTC) or a time such as 2026-10-01T12:00:00Z.",
)
@options.workspace
@options.table_format
def command(statement: str, as_of: str | None, folder: Path | None, form: str) -> None:
    """Ask the newest snapshot in SQL (DuckDB), read only.

    Example: dialogkit query "select country, count(*) n from accepted.local_dialogue group by 1"
    """
    from dialogkit.steps.query import query
    from dialogkit.workspace import open_workspace

    columns, rows = query(open_workspace(folder), statement, _time(as_of))
    output.rows_as(form, columns, rows)


def _time(given: str | None) -> str:
    if given is not None and not given.strip():
        raise click.BadParameter("say a date or a time.", param_hint="--as-of")
    return (given or "").strip()
