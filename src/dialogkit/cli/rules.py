"""`dialogkit rules`: check, list, export."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dialogkit.cli import options, output
from dialogkit.errors import ConfigError

if TYPE_CHECKING:
    from dialogkit.steps.rules import Listed

_LANGUAGES = ("en", "fr", "es")


@click.group("rules")
def command() -> None:
    """Rules that submissions are checked by: check, list, export."""


@command.command()
@options.forms
@options.workspace
@options.as_json
@click.pass_context
def check(ctx: click.Context, forms: tuple[str, ...], folder: Path | None, as_json: bool) -> None:
    """Every problem of validations/*.toml, before data come."""
    from dialogkit.steps.rules import check_rules
    from dialogkit.workspace import open_workspace

    checked = check_rules(open_workspace(folder), forms)
    if as_json:
        output.data(
            [
                {"form_id": one.form_id, "rules": one.rules, "problems": [found.as_dict() for found in one.problems]}
                for one in checked
            ]
        )
    else:
        for one in checked:
            output.problems(one.problems)
        output.table(["form", "rules", "problems"], [[one.form_id, one.rules, len(one.problems)] for one in checked])
    if any(one.problems for one in checked):
        ctx.exit(ConfigError.exit_code)


@command.command("list")
@click.argument("form", required=False, default="")
@click.option("--language", type=click.Choice(_LANGUAGES), default="en", show_default=True, help="Of the messages.")
@options.workspace
@options.as_json
def list_(form: str, language: str, folder: Path | None, as_json: bool) -> None:
    """Every rule: the form's own, people's, and those of survey practice."""
    from dialogkit.steps.rules import list_rules
    from dialogkit.workspace import open_workspace

    found = [_as_data(one, language) for one in list_rules(open_workspace(folder), form)]
    if as_json:
        output.data(found)
        return
    columns = ["form_id", "code", "action", "mostly", "from", "state", "message"]
    output.table(columns, [[one[name] for name in columns] for one in found])


@command.command()
@options.forms
@click.option("--to", required=True, type=click.Path(path_type=Path, file_okay=False), help="The folder to write into.")
@options.workspace
def export(forms: tuple[str, ...], to: Path, folder: Path | None) -> None:
    """Write the rules as suites that Great Expectations itself runs over a snapshot."""
    from dialogkit.steps.rules import export_rules
    from dialogkit.workspace import open_workspace

    done = export_rules(open_workspace(folder), to, forms)
    output.table(
        ["form", "rules", "left out", "files"],
        [[one.form_id, one.rules, len(one.left_out), len(one.files)] for one in done],
    )
    output.say(f"Written into {to}; README.md there says how to run them.")


def _as_data(one: Listed, language: str) -> dict[str, Any]:
    rule = one.rule
    return {
        "form_id": one.form_id,
        "code": rule.code,
        "action": one.action,
        "mostly": rule.mostly,
        "from": one.origin,
        "path": rule.path,
        "table": rule.table,
        "state": one.state,
        "reason": one.reason,
        "message": rule.messages.get(language, rule.messages["en"]),
    }
