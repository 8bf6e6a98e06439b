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
