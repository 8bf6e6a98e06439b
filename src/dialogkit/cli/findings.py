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
    if form in ("parquet", "csv") and len(ids) > 1:
        raise click.UsageError(f"{form} holds one table: name one finding.")
    known = {name.lower(): name for name in titles}
    together: dict[str, list[dict[str, object]]] = {}
    for asked in ids:
        columns, rows = finding(workspace, asked)
        name = known[asked.lower()]
        title, base = titles[name]
        output.say(f"{name}  {title}\n     Base: {base}.")
        if form == "json" and len(ids) > 1:
            together[name] = output.objects(columns, rows)
        else:
            output.rows_as(form, columns, rows)
    if together:
        output.data(together)
