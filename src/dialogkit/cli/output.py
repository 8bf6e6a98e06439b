"""What a person sees: results on stdout, progress and messages on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click

from dialogkit.problem import Problem
from dialogkit.progress import SILENT, Progress


def say(line: str) -> None:
    """A message for the person, on stderr."""
    click.echo(line, err=True)


def problems(found: Iterable[Problem]) -> None:
    """Problems, one after the other, on stderr."""
    for problem in found:
        click.echo(str(problem), err=True)


def data(value: Any) -> None:
    """JSON on stdout."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], title: str = "") -> None:
    """A table on stdout: with lines on a terminal, and whole when it goes into a file or a pipe."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    width = None if sys.stdout.isatty() else 200
    console = Console(file=sys.stdout, width=width, highlight=False, markup=False, emoji=False)
    drawn = Table(*columns, title=title or None, box=box.SIMPLE_HEAD, title_justify="left")
    for row in rows:
        drawn.add_row(*("" if value is None else _printable(str(value)) for value in row))
    console.print(drawn)


def _printable(text: str) -> str:
    """Without control characters: an answer could hold commands for the terminal."""
    return "".join(sign if sign.isprintable() or sign == "\n" else "\ufffd" for sign in text)


@contextmanager
def progress(quiet: bool = False) -> Iterator[Progress]:
    """A bar on stderr when that is a terminal; nothing otherwise."""
    if quiet or not sys.stderr.isatty():
        yield SILENT
        return
    from dialogkit.cli.bar import Bar

    with Bar() as bar:
        yield bar


def rows_as(form: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A result on stdout in the form that was asked for: `table`, `csv`, `json` or `parquet` (bytes)."""
    if form == "table":
        table(columns, [[_listed(value) for value in row] for row in rows])
    elif form == "json":
        data([dict(zip(columns, row, strict=True)) for row in rows])
    elif form == "csv":
        from csv import writer

        lines = writer(sys.stdout, lineterminator="\n")
        lines.writerow(columns)
        lines.writerows([_listed(value) for value in row] for row in rows)
    else:
        from dialogkit.cli.parquet import parquet_bytes

        sys.stdout.flush()
        sys.stdout.buffer.write(parquet_bytes(columns, rows))


def _listed(value: object) -> object:
    """Codes of a list as DuckDB prints them."""
    return f"[{', '.join(map(str, value))}]" if isinstance(value, list) else value
