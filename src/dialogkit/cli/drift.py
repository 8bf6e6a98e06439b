"""`dialogkit drift`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from dialogkit.cli import options, output
from dialogkit.cli.printable import printable


@click.command("drift")
@options.forms
@options.workspace
@options.as_json
def command(forms: tuple[str, ...], folder: Path | None, as_json: bool) -> None:
    """Answers to questions that no known version of a form asks, with what they may be. No answer is shown."""
    from dialogkit.steps.drift import drift
    from dialogkit.workspace import open_workspace

    found = drift(open_workspace(folder), forms)
    if as_json:
        output.data([asdict(entry) | {"suggestion": asdict(suggestion)} for entry, suggestion in found])
    elif found:
        output.table(
            ["form", "path", "in", "submissions", "versions", "first", "last"],
            [
                [
                    entry.form_id,
                    entry.path,
                    entry.repeat or "(main)",
                    entry.submissions,
                    ", ".join(version or "(none)" for version in entry.versions),
                    f"{entry.first:%Y-%m-%d}",
                    f"{entry.last:%Y-%m-%d}",
                ]
                for entry, _ in found
            ],
        )
        for entry, suggestion in found:
            click.echo(printable(f"{entry.form_id}, {entry.path}\n  {suggestion.text}\n  {suggestion.fix}"))
    else:
        output.say("Every answer stands at a question of a known version.")
