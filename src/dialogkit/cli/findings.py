"""`dialogkit findings`."""

from __future__ import annotations

from pathlib import Path

import click

from dialogkit.cli import options, output


@click.command("findings")
@click.argument("ids", nargs=-1, metavar="[ID]…")
@options.workspace
@options.table_format
def command(ids: tuple[str, ...], folder: Path | None, form: str) -> None:
    """Cross-country findings of the newest snapshot: the list of them, or the figures of those that are named.

    Example: dialogkit findings F11 F11_phase
    """
    from dialogkit.steps.findings import finding, list_findings
    from dialogkit.workspace import open_workspace

    workspace = open_workspace(folder)
    titles = {name: (title, base) for name, title, base in list_findings(workspace)}
    if not ids:
        output.rows_as(form, ("id", "question", "base"), [(name, *words) for name, words in titles.items()])
        return
    if form == "parquet" and len(ids) > 1:
        raise click.UsageError("Parquet holds one table: name one finding.")
    known = {name.lower(): name for name in titles}
    for name in ids:
        columns, rows = finding(workspace, name)
        title, base = titles[known[name.lower()]]
        output.say(f"{known[name.lower()]}  {title}\n     Base: {base}.")
        output.rows_as(form, columns, rows)
