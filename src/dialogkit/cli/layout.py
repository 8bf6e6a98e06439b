"""A table of text in the width that there is, in which no word is ever cut."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from textwrap import fill, indent

import click
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

#: What the lines and blanks of a table take: three for each column and one more.
_AROUND = 3


def draw(columns: Sequence[str], rows: Sequence[Sequence[str]], title: str, width: int | None) -> None:
    """Print a table, or lines of `name: value` where it does not fit.

    Args:
        columns: names.
        rows: printable texts.
        title: above it; may be empty.
        width: of the terminal; None for as wide as the content is.
    """
    cells = [[name, *(row[place] for row in rows)] for place, name in enumerate(columns)]
    around = _AROUND * len(columns) + 1
    widths = _widths(cells, None if width is None else width - around)
    if widths is None:
        _lines(columns, rows, title)
        return
    if title:  # on a line of its own: a table would break it at its own width
        click.echo(title)
    drawn = Table(box=box.SIMPLE_HEAD)
    for name, wide in zip(columns, widths, strict=True):
        drawn.add_column(name, width=wide, overflow="fold")
    for row in rows:
        drawn.add_row(*row)
    console = Console(file=sys.stdout, width=sum(widths) + around, highlight=False, markup=False, emoji=False)
    console.print(drawn)


def draw_entries(entries: Sequence[tuple[str, Sequence[str]]], width: int | None) -> None:
    """Print a line for each entry, and what is told of it below, indented.

    Args:
        entries: the line, whole in any width so that it can be searched for, and the texts below it; printable.
        width: of the terminal, for the texts below; None for as wide as they are.
    """
    for head, below in entries:
        click.echo(head)
        for text in below:
            told = text if width is None else fill(text, width - 2, break_long_words=False, break_on_hyphens=False)
            click.echo(indent(told, "  "))


def _widths(cells: Sequence[Sequence[str]], room: int | None) -> list[int] | None:
    """The width of each column, or None when some word would have to be cut."""
    whole = [max((cell_len(line) for text in column for line in text.splitlines()), default=0) for column in cells]
    if room is None or sum(whole) <= room:
        return whole
    widths = [max((cell_len(word) for text in column for word in text.split()), default=0) for column in cells]
    free = room - sum(widths)
    if free < 0:
        return None
    # The narrowest wishes first, so that short columns are not wrapped for the sake of long ones.
    wishes = sorted(range(len(cells)), key=lambda place: whole[place] - widths[place])
    for left, place in zip(range(len(wishes), 0, -1), wishes, strict=True):
        more = min(whole[place] - widths[place], free // left)
        widths[place] += more
        free -= more
    return widths


def _lines(columns: Sequence[str], rows: Sequence[Sequence[str]], title: str) -> None:
    if title:
        click.echo(title)
    for row in rows:
        click.echo("".join(f"{name}: {text}\n" for name, text in zip(columns, row, strict=True)))
