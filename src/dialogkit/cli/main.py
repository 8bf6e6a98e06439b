"""Finds commands by name, so that help is quick, and turns errors into plain words and exit codes."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click

from dialogkit import __version__
from dialogkit.cli.printable import printable
from dialogkit.errors import DialogkitError
from dialogkit.problem import Problem

#: Command → what it does, in the order of the flow. The module is `dialogkit.cli.<name>`, its command `command`.
COMMANDS: Final[Mapping[str, str]] = {
    "init": "Make a workspace with the seven forms.",
    "form": "Check, build and compare forms.",
    "key": "Keys for phones and staff: add, list, revoke.",
    "serve": "Receive submissions from phones.",
    "deploy": "Place forms on KoboToolbox or ODK Central.",
    "share": "QR code and address of the server for a phone.",
    "pull": "Bring new, changed and deleted submissions into batches.",
    "import": "Bring values from published pages, each with its source sentence.",
    "land": "Check batches and load them into the warehouse.",
    "run": "Pull, land and make a snapshot.",
    "status": "Counts by stage and form.",
    "report": "What came and what is wrong with it, as pages that open offline.",
    "held": "Submissions kept back: list, show, fix-it, release, drop.",
    "explain": "What happened to one submission.",
    "rules": "Rules that submissions are checked by: check, list, export.",
    "correct": "The corrections ledger: list, add, undo, import, export, push.",
    "drift": "Answers to questions that no known version asks.",
    "review": "Review or correct submissions on their server.",
    "query": "Ask the snapshot in SQL.",
    "findings": "Cross-country findings.",
    "publish": "Write a release of de-identified extracts.",
    "verify": "Check a release against its checksums.",
    "config": "Show every setting and where it came from.",
    "demo": "The main job, end to end, on the five real dialogues.",
}

#: `import` is a word of Python.
_MODULES: Final[Mapping[str, str]] = {"import": "imports"}


class Commands(click.Group):
    """A group that imports a command only when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the flow."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"dialogkit.cli.{_MODULES.get(cmd_name, cmd_name)}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing one of them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> Any:
        """Run, and say what went wrong in plain words."""
        try:
            return super().invoke(ctx)
        except DialogkitError as error:
            if ctx.params.get("debug"):
                raise
            for problem in (*error.problems, error.problem):
                click.echo(printable(str(problem)), err=True)
            ctx.exit(error.exit_code)
        except KeyboardInterrupt:
            click.echo("Stopped. What was written is whole; run the same command again to go on.", err=True)
            ctx.exit(130)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except BrokenPipeError:
            sys.stderr.close()
            ctx.exit(0)
        except Exception as error:
            if ctx.params.get("debug"):
                raise
            outside = isinstance(error, OSError)
            click.echo(str(_file_problem(error) if outside else _defect(error)), err=True)
            ctx.exit(3 if outside else 1)


def _file_problem(error: Exception) -> Problem:
    """The folder is named, the file is not: files of submissions carry names that people gave them."""
    name = getattr(error, "filename", None)
    folder = Path(str(name)).parent.name if name else ""
    reason = getattr(error, "strerror", None) or type(error).__name__
    return Problem(
        "FILE-001",
        "error",
        f"folder {folder or '.'}",
        f"A file cannot be read or written ({reason}).",
        "Check the free space of the disk and the permissions of the folder, then run the same command again.",
    )


def _defect(error: Exception) -> Problem:
    return Problem(
        "DEFECT-001",
        "error",
        "dialogkit",
        f"Something went wrong that is our fault ({type(error).__name__}).",
        "Run the same command with: dialogkit --debug … and send us the last lines, without answers in them.",
    )


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="dialogkit")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def cli(debug: bool) -> None:
    """From a form on a phone to a finding that is comparable and safe to publish."""
