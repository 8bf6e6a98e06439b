"""`dialogkit correct`: list, add, undo, import, export, push."""

from __future__ import annotations

import getpass
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dialogkit.cli import options, output

if TYPE_CHECKING:
    from dialogkit.steps.correct import Listed
    from dialogkit.steps.review import Plan

_VALUES = ("old_value", "new_value")
_MADE = "They are made at the next landing: dialogkit land"


@click.group("correct")
def command() -> None:
    """The corrections ledger: what was changed in answers, by whom and why. It is replayed on every landing."""


def _not_blank(_ctx: click.Context, _option: click.Parameter, value: str) -> str:
    if not value.strip():
        raise click.BadParameter("say why, in a few words without an answer in them.")
    return value


_why = click.option("--why", required=True, callback=_not_blank, help="The reason; kept in the ledger.")
_by = click.option("--by", default=getpass.getuser, help="Who corrects; by default your user name.")
_log = click.argument("file", type=click.Path(path_type=Path, dir_okay=False))


@command.command("list")
@options.forms
@click.option("--values", is_flag=True, help="Show the old and the new answers too.")
@options.workspace
@options.as_json
def list_(forms: tuple[str, ...], values: bool, folder: Path | None, as_json: bool) -> None:
    """Every entry, oldest first, and what became of it.

    On a line: id, form, submission, state; below: what is changed, and who says so, when and why. The state is that of
    the last landing. No answer is shown without --values.
    """
    from dialogkit.steps.correct import list_corrections
    from dialogkit.workspace import open_workspace

    found = list_corrections(open_workspace(folder), forms)
    if as_json:
        output.data([_as_data(one, values=values) for one in found])
    elif found:
        output.entries(_as_entry(_as_data(one, values=values)) for one in found)
    else:
        output.say("The ledger is empty.")


# An answer may begin with a minus.
@command.command("add", context_settings={"ignore_unknown_options": True})
@click.argument("form")
@click.argument("submission")
@click.argument("question", default="")
@click.argument("new", default="")
@_why
@click.option("--row", default="", help="Which row of a repeat: 2, or 2/1 one repeat deeper.")
@click.option("--old", default="", help="What the answer must be now; otherwise nothing is added.")
@click.option("--issue", default="", help="What is wrong, in a few words.")
@click.option("--blank", is_flag=True, help="Empty the answer. No NEW then.")
@click.option("--remove", is_flag=True, help="Refuse the whole submission. No QUESTION and no NEW then.")
@_by
@options.workspace
def add(  # noqa: PLR0913, PLR0917 - click gives each option as an argument
    form: str,
    submission: str,
    question: str,
    new: str,
    why: str,
    row: str,
    old: str,
    issue: str,
    blank: bool,
    remove: bool,
    by: str,
    folder: Path | None,
) -> None:
    """Correct one answer: QUESTION of SUBMISSION shall be NEW.

    SUBMISSION is an id or its beginning; QUESTION a path, a name where it is unique, or a column.
    """
    from dialogkit.model.correction import Entry
    from dialogkit.steps.correct import add_correction
    from dialogkit.workspace import open_workspace

    change = _change(question, new, blank=blank, remove=remove)
    wish = Entry(submission, question, issue, old, new, change, row, by, "", why, "", "")
    workspace = open_workspace(folder)
    workspace.form_file(form)
    added = add_correction(workspace, form, wish)
    click.echo(f"{added.entry.id}: {added.entry.change_type}")
    output.say("It is made at the next landing: dialogkit land")


def _change(question: str, new: str, *, blank: bool, remove: bool) -> str:
    if remove:
        if question or blank:
            raise click.UsageError("--remove is about the whole submission: no QUESTION, no NEW and no --blank.")
        return "remove_survey"
    if not question:
        raise click.UsageError("Say which QUESTION, or --remove.")
    if blank == bool(new):
        raise click.UsageError("Give the NEW answer, or --blank to empty it.")
    return "blank_response" if blank else "change_response"


@command.command("undo")
@click.argument("entry_id", metavar="ID")
@_why
@_by
@options.workspace
def undo(entry_id: str, why: str, by: str, folder: Path | None) -> None:
    """Take a correction back by a new entry.

    The next landing brings the answer as it was received. ID is told by: dialogkit correct list
    """
    from dialogkit.steps.correct import undo_correction
    from dialogkit.workspace import open_workspace

    done = undo_correction(open_workspace(folder), entry_id, by=by, why=why)
    click.echo(f"{done.entry.id}: undoes {entry_id}")
    output.say("It is made at the next landing: dialogkit land")


@command.command("import")
@_log
@click.option("--form", default="", help="The form of all submissions in it; otherwise told by their ids.")
@click.option("--why", default="", help="The reason, for rows that have none; otherwise their issue.")
@_by
@options.workspace
def import_(file: Path, form: str, why: str, by: str, folder: Path | None) -> None:
    """Bring a cleaning log (CSV or XLSX) of cleaningtools.

    The same file twice adds nothing. Columns: uuid, question, issue, old_value, new_value, change_type; ours are read
    where they are (row, by, at, why).
    """
    from dialogkit.steps.correct import import_corrections
    from dialogkit.workspace import open_workspace

    done = import_corrections(open_workspace(folder), file, form_id=form, by=by, why=why)
    click.echo(f"added: {len(done.added)}, in the ledger already: {done.known}")
    if done.added:
        output.say(_MADE)


@command.command("export")
@_log
@options.forms
@options.workspace
def export(file: Path, forms: tuple[str, ...], folder: Path | None) -> None:
    """Write the ledger as a table (CSV or XLSX).

    The columns of cleaningtools, then ours. It holds answers.
    """
    from dialogkit.steps.correct import export_corrections
    from dialogkit.workspace import open_workspace

    count = export_corrections(open_workspace(folder), file, forms)
    click.echo(f"entries: {count}")
    output.say(f"{file.name} holds answers: keep it as you keep the warehouse.")


@command.command("push")
@click.argument("form")
@click.option("--yes", is_flag=True, help="Send it. Without this, it is only shown.")
@options.workspace
def push(form: str, yes: bool, folder: Path | None) -> None:
    """Send the corrections of FORM to its server.

    Only those that were made here. After the next pull they are "at the source".
    """
    from dialogkit.steps.correct_push import changes_of, plan_push
    from dialogkit.workspace import open_workspace

    found = plan_push(open_workspace(folder), form)
    output.problems(found.problems)
    if not found.plans:
        output.say("There is nothing to send.")
        return
    output.table(["submission", "what", "after"], list(changes_of(found)))
    if not yes:
        output.say(f"Nothing was sent to {found.plans[0].server.name}. To send it: the same command with --yes")
        return
    for plan in found.plans:
        _send(plan)
    output.say(f"Pull again to see it: dialogkit run {form}")


def _send(plan: Plan) -> None:
    from dialogkit.steps.review import refused_of, send_review

    sent = list(send_review(plan))
    for one in sent:
        if one.error is None:
            click.echo(f"{one.submission_id}: taken by {plan.server.name}")
        else:
            output.problems([one.error.problem])
    if error := refused_of(plan, sent):
        raise error


def _as_entry(one: dict[str, str]) -> tuple[list[str], list[str]]:
    """An entry in a line; what it changes and who says so below."""
    row = f", row {one['row']}" if one["row"] else ""
    below = [f"{one['change']}  {one['question']}{row}" if one["question"] else one["change"]]
    if any(one.get(name) for name in _VALUES):
        below.append(f"{one['old_value'] or '(blank)'} → {one['new_value'] or '(blank)'}")
    takes_back = f" (takes back {one['undoes']})" if one["undoes"] else ""
    below.append(f"{one['at']}, {one['by']}: {one['why']}{takes_back}")
    return [one["id"], one["form"], one["submission"], one["state"]], below


def _as_data(one: Listed, *, values: bool) -> dict[str, str]:
    facts = asdict(one.entry)
    shown = {
        "id": one.entry.id,
        "form": one.form_id,
        "submission": facts.pop("uuid"),
        "change": facts.pop("change_type"),
        "state": one.state,
    }
    return shown | {name: text for name, text in facts.items() if values or name not in _VALUES}
