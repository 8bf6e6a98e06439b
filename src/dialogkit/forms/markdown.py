"""Sheets as Markdown tables that pyxform reads too, and back again without a loss."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

Table = tuple[tuple[str, ...], list[dict[str, str]]]

_LINE: Final = re.compile(r"^\s*\|(.*)\|\s*$")
# A row of a sheet begins with an empty cell, so a row of hyphens is not taken for the line under the headers.
_SEPARATOR: Final = re.compile(r"^\s*:?-+:?\s*(\|\s*:?-+:?\s*)*$")
_BORDER: Final = re.compile(r"(?<!\\)\|")
# One `amp;` more or less makes the escape reversible for texts that hold it already.
_TO_ESCAPE: Final = re.compile(r"&((?:amp;)*#1[03];)")
_ESCAPED: Final = re.compile(r"&amp;((?:amp;)*#1[03];)")


def read_tables(text: str) -> dict[str, Table]:
    """The tables of a Markdown document by sheet name: headers, and a dict a row. Lines without a table are skipped.

    The name of a sheet stands in the first cell of its first line, as in pyxform's own Markdown. Empty rows stay,
    so that rows have the numbers that they have in the workbook.

    Raises:
        ValueError: there is no table.
    """
    tables: dict[str, Table] = {}
    title = ""
    lines: dict[str, list[tuple[str, ...]]] = {}
    for line in text.split("\n"):
        cells = _cells(line)
        if cells is None:
            continue
        if cells[0]:
            title = cells[0]
            lines[title] = []
        row = cells[1:]
        if title and (any(row) or lines[title]):
            lines[title].append(row)
    for name, rows in lines.items():
        headers = rows[0] if rows else ()
        tables[name] = (
            tuple(header for header in headers if header),
            [{key: value for key, value in zip(headers, row, strict=False) if key and value} for row in rows[1:]],
        )
    if not tables:
        raise ValueError("no table")
    return tables


def write_table(name: str, headers: Sequence[str], rows: Iterable[Mapping[str, str]]) -> str:
    """A sheet as a Markdown table that `read_tables` reads back as it was."""
    lines = [_line([name, *headers]), "|" + "---|" * (len(headers) + 1)]
    lines += [_line(["", *(row.get(header, "") for header in headers)]) for row in rows]
    return "\n".join(lines) + "\n"


def _cells(line: str) -> tuple[str, ...] | None:
    if line.lstrip().startswith("#"):
        return None
    match = _LINE.match(line)
    if match is None or _SEPARATOR.match(match[1]):
        return None
    return tuple(_unescape(cell) for cell in _BORDER.split(match[1]))


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(map(_escape, cells)) + " |"


def _escape(text: str) -> str:
    text = _TO_ESCAPE.sub(r"&amp;\1", text)
    return text.replace("\n", "&#10;").replace("\r", "&#13;").replace("|", r"\|")


def _unescape(cell: str) -> str:
    text = cell.strip().replace(r"\|", "|").replace("&#10;", "\n").replace("&#13;", "\r")
    return _ESCAPED.sub(r"&\1", text)
