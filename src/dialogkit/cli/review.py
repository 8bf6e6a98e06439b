"""`dialogkit review`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dialogkit.cli import options, output
from dialogkit.model.host import REVIEW_STATES

if TYPE_CHECKING:
    from dialogkit.steps.review import Plan


def _pairs(_ctx: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    changes: dict[str, str] = {}
    for one in given:
        path, equals, value = one.partition("=")
        path = path.strip().strip("/")
        if not equals or not path:
            raise click.BadParameter("write PATH=VALUE, such as g_main/said=new words.")
        if path in changes:
            raise click.BadParameter(f"{path} is named twice.")
        changes[path] = value
    return changes


@click.command("review")
@click.argument("form")
@click.argument("submissions", nargs=-1, required=True, metavar="ID…")
@click.option("--state", type=click.Choice(REVIEW_STATES), help="The new review state.")
@click.option("--comment", default="", help="A comment for the server (ODK Central keeps them).")
@click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="PATH=VALUE",
    callback=_pairs,
    help="Correct an answer, by its full path; nothing after = takes it away. May be given more than once.",
)
@click.option("--yes", is_flag=True, help="Send it. Without this, it is only shown.")
@options.workspace
def command(  # noqa: PLR0913, PLR0917 - click gives each option as an argument
    form: str,
    submissions: tuple[str, ...],
    state: str | None,
    comment: str,
    changes: dict[str, str],
    yes: bool,
    folder: Path | None,
) -> None:
    """Review or correct submissions on the server they came from.

    What would be sent is always shown first, without the answers themselves. A submission is named by its id or its
    beginning. What a participant agreed to is never corrected.
    """
    from dialogkit.steps.review import Wish, plan_review
    from dialogkit.workspace import open_workspace

    if not (state or comment.strip() or changes):
        raise click.UsageError("Say what to do: --state, --comment or --set.")
    wish = Wish(state or "", comment.strip(), changes)
    plan = plan_review(open_workspace(folder), form, submissions, wish)
    output.table(
        ["submission", "what", "before", "after"],
        [[one.submission_id, one.what, one.before, one.after] for one in plan.changes],
    )
    if plan.stale:
        output.say(f"These are calculated from what changes and stay as they are: {', '.join(plan.stale)}")
    if not yes:
        output.say(f"Nothing was sent to {plan.server.name}. To send it: the same command with --yes")
        return
    _send(plan)


def _send(plan: Plan) -> None:
    from dialogkit.steps.review import refused_of, send_review

    sent = []
    for one in send_review(plan):
        sent.append(one)
        if one.error is None:
            click.echo(f"{one.submission_id}: taken by {plan.server.name}")
        else:
            what = "corrected, but not reviewed" if one.corrected else "not changed"
            click.echo(f"{one.submission_id}: {what}")
            output.problems([one.error.problem])
    if any(one.error is None or one.corrected for one in sent):
        output.say(f"Pull again to see it: dialogkit pull {plan.form_id}")
    if error := refused_of(plan, sent):
        raise error
