"""`dialogkit status`."""

from __future__ import annotations

from pathlib import Path

import click

from dialogkit.cli import options, output


@click.command("status")
@options.workspace
@options.as_json
def command(folder: Path | None, as_json: bool) -> None:
    """Counts by stage and form: what waits, what was accepted, held, refused, deleted."""
    from dialogkit.steps.drift import unknown_questions
    from dialogkit.steps.status import status
    from dialogkit.workspace import open_workspace

    workspace = open_workspace(folder)
    rows = [one.as_dict() for one in status(workspace)]
    if as_json:
        output.data(rows)
    else:
        columns = list(rows[0]) if rows else ["form_id"]
        # Of the seven shipped forms most are not used in most workspaces.
        shown = [row for row in rows if any(value for name, value in row.items() if name != "form_id")] or rows
        output.table([name.replace("_", " ") for name in columns], [list(row.values()) for row in shown])
        if hidden := len(rows) - len(shown):
            output.say(f"{hidden} {'form' if hidden == 1 else 'forms'} without any submission not shown (--json does).")
    if unknown := unknown_questions(workspace):
        output.say(f"{unknown} unknown {'question' if unknown == 1 else 'questions'} answered: dialogkit drift")
