"""`dialogkit form`: check, build and compare forms."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from dialogkit.cli import options, output
from dialogkit.cli.lineage import lineage
from dialogkit.cli.simulate import simulate
from dialogkit.errors import ConfigError, FormError

if TYPE_CHECKING:
    from dialogkit.forms.compare import Comparison
    from dialogkit.model.form import Form
    from dialogkit.steps.forms import Checked
    from dialogkit.workspace import Workspace

_WORKBOOK: Final = click.Path(path_type=Path, exists=True, dir_okay=False)
_FILES: Final = click.argument("files", nargs=-1, required=True, type=_WORKBOOK, metavar="FILE…")


@click.group("form")
def command() -> None:
    """Check, build and compare forms."""


command.add_command(lineage)
command.add_command(simulate)


@command.command()
@_FILES
@options.as_json
@click.option("--no-odk-validate", is_flag=True, help="Leave out ODK Validate, which takes Java and a second a form.")
@options.workspace
@click.pass_context
def check(
    ctx: click.Context, files: tuple[Path, ...], as_json: bool, no_odk_validate: bool, folder: Path | None
) -> None:
    """Say every problem of any XLSForm (.xlsx, .xls, .csv, .md)."""
    from dialogkit.steps import forms

    checked = forms.check(files, workspace_of(folder), odk=not no_odk_validate)
    if as_json:
        output.data([_as_data(one) for one in checked])
    else:
        for one in checked:
            output.problems(one.problems)
            click.echo(_line(one))
    if not all(one.ok for one in checked):
        ctx.exit(FormError.exit_code)


@command.command()
@_FILES
@click.option("--to", required=True, type=click.Path(path_type=Path, file_okay=False), help="The folder to write into.")
@options.workspace
def build(files: tuple[Path, ...], to: Path, folder: Path | None) -> None:
    """Write the XForm, the workbook, its Markdown and media of each form into a folder."""
    from dialogkit.steps import forms

    for one in forms.build(files, to, workspace_of(folder)):
        output.problems(one.problems)
        click.echo(f"built  {one.form.form_id}  version {one.form.version or '(none)'}")


@command.command()
@click.argument("old", type=_WORKBOOK)
@click.argument("new", type=_WORKBOOK)
@options.as_json
@options.workspace
@click.pass_context
def compare(ctx: click.Context, old: Path, new: Path, as_json: bool, folder: Path | None) -> None:
    """Say what changed from OLD to NEW, and what of it breaks stored answers, rules and findings (exit 4).

    A question that got another name is a new one, unless its concept stayed or a column "was" of NEW says its old name.
    """
    from dialogkit.cli.compared import lines
    from dialogkit.steps.compare import compare_files

    workspace = workspace_of(folder)
    comparison = compare_files(old, new, workspace)
    if as_json:
        output.data(_comparison(old, new, comparison))
    else:
        for line in lines(comparison):
            click.echo(line)
        if workspace is None:
            output.say("There is no workspace here: which rules and findings read the answers is not known.")
    if comparison.breaking:
        ctx.exit(FormError.exit_code)


def workspace_of(folder: Path | None) -> Workspace | None:
    """A form can be checked and built outside of any workspace; its constants then stay as they are."""
    from dialogkit.workspace import open_workspace

    try:
        return open_workspace(folder)
    except ConfigError as error:
        if folder is not None or error.code != "CONFIG-001":
            raise
        return None


def _line(one: Checked) -> str:
    verdict = "ok     " if one.ok else "refused"
    name = f"{one.form.form_id}  version {one.form.version or '(none)'}  " if one.form else ""
    errors = sum(problem.severity == "error" for problem in one.problems)
    warnings = sum(problem.severity == "warning" for problem in one.problems)
    return f"{verdict}  {one.file}  {name}{_count(errors, 'error')}, {_count(warnings, 'warning')}"


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _as_data(one: Checked) -> dict[str, object]:
    return {
        "file": one.file.as_posix(),
        "ok": one.ok,
        "form_id": one.form.form_id if one.form else None,
        "version": one.form.version if one.form else None,
        "problems": [problem.as_dict() for problem in one.problems],
    }


def _comparison(old: Path, new: Path, comparison: Comparison) -> dict[str, object]:
    return {
        "old": _side(old, comparison.old),
        "new": _side(new, comparison.new),
        "same": comparison.same,
        "breaking": bool(comparison.breaking),
        "changes": [asdict(change) for change in comparison.changes],
    }


def _side(file: Path, form: Form) -> dict[str, str]:
    return {"file": file.as_posix(), "form_id": form.form_id, "version": form.version}
