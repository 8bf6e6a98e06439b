"""The last gate: every written file is read again and searched for the values of identifiers.

Searched are the pieces that a release adds: cells, lines, texts of JSON. A piece that the form itself shows to
everybody (a label, a code) is not searched: somebody called like a choice is not given away by the list of choices.
"""

from __future__ import annotations

import csv
import json
import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Final

import duckdb

from dialogkit import sql
from dialogkit.problem import Problem

#: Shorter values stand in too many words to mean anything.
SHORTEST: Final = 4
_CHECKSUM: Final = re.compile(r"(sha256:)?[0-9a-f]{64}(  .*)?")
_GRAM: Final = 4
_FIGURES: Final = re.compile(r"[^\w\s'’-]+|\d+")
#: Members of `datapackage.json` and `manifest.json` whose value is a word of the format or the name of a file of ours.
_FORMAT: Final = frozenset(
    {"$schema", "type", "format", "mediatype", "encoding", "hash", "itemType", "path", "resource", "sha256"}
)
_COUNT: Final = re.compile(r"\(\d+\)")


def folded(text: str) -> str:
    """`text` as it is compared: composed, without case, white space as one blank."""
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def search(
    folder: Path, identifiers: Mapping[str, str], known: Collection[str], codes: Collection[str] = ()
) -> list[Problem]:
    """One problem for each file, its column, and identifier question of which a value stands there.

    Args:
        folder: of a release.
        identifiers: value → form and question that it was the answer of. Values under four characters are not searched.
        known: texts of the forms and of dialogkit itself.
        codes: of choices; a cell that holds nothing but codes (and how many of each) is known too.
    """
    wanted = {folded(value): where for value, where in identifiers.items()}
    wanted = {value: where for value, where in wanted.items() if len(value) >= SHORTEST}
    ours, words = {folded(text) for text in known}, {folded(code) for code in codes}
    problems = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        places: dict[str, set[str]] = {}
        for column, piece in _pieces(path):
            if not _CHECKSUM.fullmatch(piece) and not _known(folded(piece), ours, words):
                places.setdefault(folded(piece), set()).add(column)
        found = {
            (column, where)
            for value, where in _inside(wanted, "\n".join(places))
            for piece, columns in places.items()
            if value in piece
            for column in columns
        }
        problems += [_problem(path.relative_to(folder).as_posix(), *one) for one in sorted(found)]
    return problems


def _known(piece: str, ours: Collection[str], words: Collection[str]) -> bool:
    return piece in ours or all(word in words or _COUNT.fullmatch(word) for word in piece.split())


def _inside(wanted: Mapping[str, str], text: str) -> Iterator[tuple[str, str]]:
    """Those values that stand in `text`. Most are told apart by four characters, without reading the text again."""
    grams = {text[place : place + _GRAM] for place in range(len(text) - _GRAM + 1)}
    for value, where in wanted.items():
        if value[:_GRAM] in grams and value[-_GRAM:] in grams and value in text:
            yield value, where


def phrases(text: str) -> list[str]:
    """The words of a sentence between its figures and signs: `3 of 5 dialogues; <5` → `of`, `dialogues`."""
    return [part.strip() for part in _FIGURES.split(text) if part.strip()]


def parts(line: str) -> list[str]:
    """The pieces of a line of Markdown: cells of a table, or what stands before and after a colon."""
    if line.startswith("|"):
        return line.split("|")
    return [part.lstrip("#- ") for part in line.split(": ")]


def _pieces(path: Path) -> Iterator[tuple[str, str]]:
    """Each piece with the column that it stands in; no column for headers, and for files without."""
    if path.suffix == ".parquet":
        yield from _parquet_pieces(path)
    elif path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as file:
            lines = csv.reader(file)
            header = next(lines, [])
            yield from (("", name) for name in header)
            for line in lines:
                for column, piece in zip(header, line, strict=True):
                    texts = phrases(piece) if column == "shown" else [piece.removeprefix("'")]
                    yield from ((column, text) for text in texts)
    elif path.suffix == ".json":
        yield from (("", text) for text in _json_pieces(json.loads(path.read_text(encoding="utf-8"))))
    else:
        for text in path.read_text(encoding="utf-8").splitlines():
            yield from (("", part) for part in parts(text))


def _json_pieces(value: object) -> Iterator[str]:
    """Texts of a JSON file, but not the words of its format."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from () if name in _FORMAT else _json_pieces(part)
    elif isinstance(value, list):
        for part in value:
            yield from _json_pieces(part)


def _parquet_pieces(path: Path) -> Iterator[tuple[str, str]]:
    with duckdb.connect() as db:
        db.execute("SET TimeZone = 'UTC'")
        source = f"read_parquet({sql.text(str(path))})"
        for name, kind, *_ in db.execute(f"DESCRIBE FROM {source}").fetchall():
            yield "", name
            column = f"unnest({sql.name(name)})" if kind.endswith("[]") else sql.name(name)
            for (value,) in db.execute(f"SELECT DISTINCT CAST({column} AS VARCHAR) FROM {source}").fetchall():
                if value is not None:
                    yield name, value


def _problem(file: str, column: str, where: str) -> Problem:
    place = f"its column {column}" if column else "this file"
    return Problem(
        "RELEASE-006",
        "error",
        file,
        f"A value of the identifier {where} stands in {place}.",
        "Class the question that repeats it as direct or free_text in the form, or correct the answer, and land again.",
    )
