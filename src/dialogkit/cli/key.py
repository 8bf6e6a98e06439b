"""`dialogkit key add|list|revoke`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import click

from dialogkit.cli import options, output


@click.group("key")
def command() -> None:
    """Keys of the embedded server: for phones (load forms, send) and for staff (also imports and pull)."""


@command.command("add")
@click.argument("label")
@options.workspace
@click.option(
    "--role", type=click.Choice(["phone", "staff"]), default="phone", show_default=True, help="What the key may do."
)
@click.option("--digest-user", default="", help="A user name too, for clients that ask for name and password.")
@click.option("--password-env", default="", help="Environment variable with its password; otherwise you are asked.")
def add(label: str, folder: Path | None, role: Literal["phone", "staff"], digest_user: str, password_env: str) -> None:
    """Make a key named LABEL (not the name of a person) and print its token."""
    from dialogkit.steps.keys import add_key
    from dialogkit.workspace import open_workspace

    password = _password(password_env) if digest_user else ""
    key = add_key(open_workspace(folder), label, role, user=digest_user, password=password)
    # A staff key is not for a phone, so `share` does not show it.
    later = "Keep it: `dialogkit share` shows it again." if role == "phone" else "It is shown this once."
    output.say(f"Made the {role} key “{key.label}”. Whoever has its token has the key. {later}")
    click.echo(key.token)


@command.command("list")
@options.workspace
@options.as_json
def list_(folder: Path | None, as_json: bool) -> None:
    """Labels, roles and dates; no tokens."""
    from dialogkit.steps.keys import list_keys
    from dialogkit.workspace import open_workspace

    keys = list_keys(open_workspace(folder))
    columns = ("label", "role", "created", "revoked", "user")
    if as_json:
        output.data([{name: getattr(key, name) for name in columns} for key in keys])
        return
    output.table(columns, [[getattr(key, name) for name in columns] for key in keys])


@command.command("revoke")
@click.argument("label")
@options.workspace
def revoke(label: str, folder: Path | None) -> None:
    """Stop the key named LABEL, at once and for good."""
    from dialogkit.steps.keys import revoke_key
    from dialogkit.workspace import open_workspace

    key = revoke_key(open_workspace(folder), label)
    output.say(f"The key “{key.label}” does not work any more.")


def _password(variable: str) -> str:
    if not variable:
        asked: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
        return asked
    if variable not in os.environ:
        raise click.UsageError(f"The environment variable {variable} is not set.")
    return os.environ[variable]
