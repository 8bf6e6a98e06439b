"""`dialogkit report`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from dialogkit.cli import options, output


@click.command("report")
@options.forms
@click.option(
    "--to",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder; by default warehouse/report of the workspace.",
)
@click.option(
    "--language",
    "languages",
    multiple=True,
    type=click.Choice(["en", "fr", "es"]),
    help="Only this language (may be given again); by default all three, which link to each other.",
)
@options.workspace
def command(forms: tuple[str, ...], to: Path | None, languages: tuple[str, ...], folder: Path | None) -> None:
    """What came and what is wrong with it, as pages for a browser without a network; no answers in them.

    Example: dialogkit report local_dialogue --language fr
    """
    from dialogkit.steps.report import report
    from dialogkit.workspace import open_workspace

    chosen = tuple(dict.fromkeys(languages)) or ("en", "fr", "es")
    for path in report(open_workspace(folder), forms, chosen, to, datetime.now(UTC)):
        click.echo(str(path))
    output.say("For the team only: the pages name those who send. They open in any browser, also offline.")
