"""`dialogkit held`: list, show, fix-it, release, drop."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dialogkit.cli import options, output

if TYPE_CHECKING:
    from dialogkit.model.fix_list import By


@click.group("held")
def command() -> None:
    """Submissions kept back until somebody decides."""


@command.command("list")
@options.forms
@options.workspace
@options.as_json
def list_(forms: tuple[str, ...], folder: Path | None, as_json: bool) -> None:
    """Every held submission and the rules it breaks."""
    from dialogkit.steps.held import list_held
    from dialogkit.workspace import open_workspace

    found = list_held(open_workspace(folder), forms)
    if as_json:
        output.data([{"submission_id": one.submission_id, "form_id": one.form_id, "rules": one.rules} for one in found])
    elif found:
        output.entries(((one.submission_id, one.form_id, one.form_version), one.rules) for one in found)
        output.say(f"Held submissions: {len(found)}. What is wrong and what to do: dialogkit held show SUBMISSION")
    else:
        output.say("No submission is held.")


@command.command("show")
@click.argument("submission")
@options.workspace
def show(submission: str, folder: Path | None) -> None:
    """What is wrong with one of them, and what to do.

    No answers are shown. SUBMISSION is its id, or the beginning of it.
    """
    from dialogkit.steps.held import show_held
    from dialogkit.workspace import open_workspace

    for problem in show_held(open_workspace(folder), submission):
        click.echo(str(problem))


@command.command("fix-it")
@options.forms
@click.option(
    "--language",
    type=click.Choice(["en", "fr", "es"]),
    help="Of the words and of the questions; by default that of the form.",
)
@click.option(
    "--by",
    type=click.Choice(["organiser", "country"]),
    default="organiser",
    show_default=True,
    help="One list for each sender (label of the key or account), or for each country.",
)
@click.option(
    "--to",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder; by default warehouse/fix-it of the workspace.",
)
@options.workspace
def fix_it(forms: tuple[str, ...], language: str | None, by: By, to: Path | None, folder: Path | None) -> None:
    """Write lists of what to correct, for who sent them.

    One for each sender or country: what is wrong, in their language, and how to correct it; no answers.
    """
    from dialogkit.steps.fix_it import fix_it
    from dialogkit.workspace import open_workspace

    files, held = fix_it(open_workspace(folder), forms, language or "", by, to, datetime.now(UTC))
    for path in files:
        click.echo(str(path))
    output.say(f"Held submissions: {held}. index.html says whose list each file is: that page is for the team.")


def _not_blank(_ctx: click.Context, _option: click.Parameter, value: str) -> str:
    if not value.strip():
        raise click.BadParameter("say why, in a few words without an answer in them.")
    return value


def _decision(name: str, done: str, text: str) -> None:
    @command.command(name, help=text)
    @click.argument("submission")
    @click.option("--reason", required=True, callback=_not_blank, help="Why; kept in the warehouse (ops.decisions).")
    @click.option("--by", default=getpass.getuser, help="Who decides; by default your user name.")
    @options.workspace
    def decide(submission: str, reason: str, by: str, folder: Path | None) -> None:
        from dialogkit.steps.held import decide_held
        from dialogkit.workspace import open_workspace

        held = decide_held(open_workspace(folder), submission, name, reason, by)
        click.echo(f"{held.submission_id}: {done}")


_decision("release", "accepted", "Accept a held submission as it is.")
_decision("drop", "dropped", "Take a held submission out; its batch keeps it.")
