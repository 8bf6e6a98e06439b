"""`dialogkit deploy`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from dialogkit.cli import options, output

if TYPE_CHECKING:
    from dialogkit.steps.deploy_plan import Plan, Ready


@click.command("deploy")
@options.forms
@options.workspace
@click.option("--server", default="", help="Name of the server in dialogkit.toml, when it is not the form's own.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@click.option("--accept-break", is_flag=True, help="Replace a form although that breaks answers, rules or findings.")
@click.option(
    "--archive",
    is_flag=True,
    help="Close the named forms to phones; submissions stay. Deploying them by name opens them.",
)
@click.option("--let-in", default="", metavar="LABEL", help="Let phones load and send: an app user, or a collector.")
def command(  # noqa: PLR0913, PLR0917 - click gives each option as an argument
    forms: tuple[str, ...],
    folder: Path | None,
    server: str,
    dry_run: bool,
    accept_break: bool,
    archive: bool,
    let_in: str,
) -> None:
    """Place forms with their media on KoboToolbox or ODK Central, after showing what changes there.

    Without FORM: every form whose server is of one of these kinds, but those that were archived: naming them opens
    them. --let-in takes the label of an app user (ODK Central), or a user name or "anonymous" (KoboToolbox).
    """
    from dialogkit.steps.deploy import deploy
    from dialogkit.steps.deploy_plan import Wanted
    from dialogkit.workspace import open_workspace

    if archive and not forms:
        raise click.UsageError("Name the forms that shall be archived: dialogkit deploy FORM --archive")
    wanted = Wanted(server, dry_run=dry_run, accept_break=accept_break, archive=archive, let_in=let_in)
    done = deploy(open_workspace(folder), forms, wanted, _show)
    if dry_run:
        output.say("Nothing was done (--dry-run).")
        return
    for plan in done:
        click.echo(f"{_DONE[plan.action]:<10}  {_name(plan)}")
        if plan.let_in:
            output.say(f"  Its address and QR code: dialogkit share {_form_id(plan)} --key {quote(plan.let_in)}")


_DONE = {
    "create": "deployed",
    "replace": "deployed",
    "open": "opened",
    "archive": "archived",
    "nothing": "unchanged",
}


def _show(plan: Plan) -> None:
    """What changes, then what is to be done, on stderr: the result is what was done."""
    from dialogkit.cli.compared import lines

    if plan.ready is not None:
        output.problems(plan.ready.built.problems)
    if plan.comparison is not None:
        output.say(f"{_form_id(plan)}: what changes on {plan.deployment.server}")
        for line in lines(plan.comparison):
            output.say(line)
    output.say(f"{_name(plan)}:")
    for line in _to_do(plan):
        output.say(f"  {line}")


def _to_do(plan: Plan) -> Iterator[str]:
    there = plan.deployment.remote_id
    if plan.action == "nothing":
        yield "nothing to do: it is there as it is here" if plan.ready else "nothing to do: it is archived"
    elif plan.action == "archive":
        yield f"archive {there}: phones cannot load it or send any more"
    elif plan.action == "open":
        yield f"open {there} to phones again"
    elif plan.ready is not None:
        yield from _placing(plan, plan.ready, there)
    if plan.let_in:
        yield f"let in “{plan.let_in}”"


def _placing(plan: Plan, ready: Ready, there: str) -> Iterator[str]:
    if plan.action == "create":
        yield "publish it as a new form" if not there else f"publish {there}, which is there and was never published"
    else:
        yield f"replace {there} and publish it"
    yield f"upload the workbook, version {ready.form.version or '(none)'}"
    for name in sorted(ready.built.media):
        yield f"upload {name}"


def _name(plan: Plan) -> str:
    version = f"  version {plan.ready.form.version or '(none)'}" if plan.ready else ""
    return f"{_form_id(plan)}{version}  on {plan.deployment.server}"


def _form_id(plan: Plan) -> str:
    return plan.deployment.form_id
