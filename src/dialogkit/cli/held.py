"""`dialogkit held`: list, show, release, drop."""

from __future__ import annotations

import getpass
from pathlib import Path

import click

from dialogkit.cli import options, output


@click.group("held")
def command() -> None:
    """Submissions kept back until somebody decides."""


@command.command("list")
@options.forms
@options.workspace
@options.as_json
def list_(forms: tuple[str, ...], folder: Path | None, as_json: bool) -> None:
    """Every held submission with the rules that it breaks."""
    from dialogkit.steps.held import list_held
    from dialogkit.workspace import open_workspace

    found = list_held(open_workspace(folder), forms)
    if as_json:
        output.data([{"submission_id": one.submission_id, "form_id": one.form_id, "rules": one.rules} for one in found])
    elif found:
        output.table(
            ["submission", "form", "version", "rules"],
            [[one.submission_id, one.form_id, one.form_version, ", ".join(one.rules)] for one in found],
        )
    else:
        output.say("No submission is held.")


@command.command("show")
@click.argument("submission")
@options.workspace
def show(submission: str, folder: Path | None) -> None:
    """What is wrong with one held submission, and what to do (no answers are shown)."""
    from dialogkit.steps.held import show_held
    from dialogkit.workspace import open_workspace

    for problem in show_held(open_workspace(folder), submission):
        click.echo(str(problem))


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
_decision("drop", "dropped", "Take a held submission out; its batch keeps what was received.")
