"""Options that mean the same in every command."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Function = TypeVar("Function", bound=Callable[..., Any])

workspace = click.option(
    "-w",
    "--workspace",
    "folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    envvar="DIALOGKIT_WORKSPACE",
    help="The workspace; by default the folder you are in, or the nearest above it.",
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON (stable).")
quiet = click.option("-q", "--quiet", is_flag=True, help="No progress.")
forms = click.argument("forms", nargs=-1, metavar="[FORM]…")


def table_format(function: Function) -> Function:
    """`--format` for results that are a table."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(["table", "csv", "json", "parquet"]),
        default="table",
        show_default=True,
        help="How to print the result.",
    )(function)


def pulling(function: Function) -> Function:
    """`--no-attachments` and `--private-key FILE…`, as `attachments` and `keys`."""
    function = click.option(
        "--private-key",
        "keys",
        multiple=True,
        metavar="FILE",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Opens encrypted submissions (PEM). It is read, and kept nowhere.",
    )(function)
    return click.option(
        "--attachments/--no-attachments",
        default=True,
        help="Fetch photos, recordings and other files, or leave them on the server for now.",
    )(function)
