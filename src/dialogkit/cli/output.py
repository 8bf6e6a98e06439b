"""What a person sees: results on stdout, progress and messages on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from shutil import get_terminal_size
from typing import Any

import click

from dialogkit.cli.printable import printable
from dialogkit.problem import Problem
from dialogkit.progress import SILENT, Progress


def say(line: str) -> None:
    """A message for the person, on stderr."""
    click.echo(line, err=True)


def problems(found: Iterable[Problem]) -> None:
    """Problems, one after the other, on stderr."""
    for problem in found:
        # Ids and texts of a server stand in it.
        click.echo(printable(str(problem)), err=True)


def data(value: Any) -> None:
    """JSON on stdout."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], title: str = "") -> None:
    """A table on stdout; whole when it goes into a file or a pipe.

    On a terminal texts are wrapped between words. Where an id or number would have to be cut, each row is
    printed as `name: value` lines.
    """
    from dialogkit.cli.layout import draw

    width = get_terminal_size().columns if sys.stdout.isatty() else None
    cells = [["" if value is None else printable(str(value)) for value in row] for row in rows]
    draw(columns, cells, title, width)


def entries(found: Iterable[tuple[Sequence[object], Sequence[str]]]) -> None:
    """A line an entry on stdout, two blanks between its parts, and what is told of it below: for long names."""
    from dialogkit.cli.layout import draw_entries

    width = get_terminal_size().columns if sys.stdout.isatty() else None
    draw_entries(
        [("  ".join(printable(str(part)) for part in head), [*map(printable, below)]) for head, below in found], width
    )


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
        data(objects(columns, rows))
    elif form == "csv":
        from csv import writer

        lines = writer(sys.stdout, lineterminator="\n")
        lines.writerow(columns)
        lines.writerows([_listed(value) for value in row] for row in rows)
    else:
        from dialogkit.cli.parquet import parquet_bytes

        sys.stdout.flush()
        sys.stdout.buffer.write(parquet_bytes(columns, rows))


def objects(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> list[dict[str, object]]:
    """Each row as an object of JSON."""
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _listed(value: object) -> object:
    """Codes of a list as DuckDB prints them."""
    return f"[{', '.join(map(str, value))}]" if isinstance(value, list) else value
