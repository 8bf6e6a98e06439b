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
@click.option("--undecided", is_flag=True, help="Only what stored answers cannot decide, in part or at all; why.")
@click.option("--language", type=click.Choice(_LANGUAGES), default="en", show_default=True, help="Of the messages.")
@options.workspace
@options.as_json
def list_(form: str, undecided: bool, language: str, folder: Path | None, as_json: bool) -> None:
    """Every rule: of forms, of people, of survey practice.

    On a line: form, action, code, and what is not usual (judged in Python, not decidable, mostly); below: its message.
    """
    from dialogkit.steps.rules import list_rules
    from dialogkit.workspace import open_workspace

    listed = list_rules(open_workspace(folder), form)
    found = [_as_data(one, language) for one in listed if one.reason or not undecided]
    if as_json:
        output.data(found)
    elif found:
        output.entries(_as_entry(one) for one in found)
    else:
        output.say("Stored answers decide every rule." if undecided else "There is no rule.")


@command.command()
@options.forms
@click.option("--to", required=True, type=click.Path(path_type=Path, file_okay=False), help="The folder to write into.")
@options.workspace
def export(forms: tuple[str, ...], to: Path, folder: Path | None) -> None:
    """Write the rules as suites of Great Expectations.

    Great Expectations itself loads and runs them over a snapshot; README.md in the folder says how.
    """
    from dialogkit.steps.rules import export_rules
    from dialogkit.workspace import open_workspace

    done = export_rules(open_workspace(folder), to, forms)
    output.table(
        ["form", "rules", "left out", "files"],
        [[one.form_id, one.rules, len(one.left_out), len(one.files)] for one in done],
    )
    output.say(f"Written into {to}; README.md there says how to run them.")


def _as_entry(one: dict[str, Any]) -> tuple[list[str], list[str]]:
    """A rule in a line, and its message below; why it cannot be decided under that."""
    head = [one["form_id"], one["action"], one["code"]]
    if one["state"] not in ("compiled", "off"):
        head.append(f"({one['state']})")
    elif one["reason"]:
        head.append("(not decidable in some versions)")
    if one["mostly"] != 1:
        head.append(f"(mostly {one['mostly']:g})")
    return head, [one["message"], *filter(None, [one["reason"]])]


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
