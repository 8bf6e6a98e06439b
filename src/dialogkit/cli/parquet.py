"""Rows of a result as a Parquet file in memory, for `--format parquet`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import duckdb

from dialogkit import sql

_TYPES: Final[tuple[tuple[type, str], ...]] = (
    (bool, "BOOLEAN"),
    (int, "BIGINT"),
    (float, "DOUBLE"),
    (datetime, "TIMESTAMPTZ"),
    (date, "DATE"),
    (list, "VARCHAR[]"),
)
_AT_ONCE: Final = 500


def parquet_bytes(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> bytes:
    """The bytes of a Parquet file. A column has the type of its first value; what has no type of its own is text.

    Args:
        columns: names; a name that comes twice gets `_2`.
        rows: values as DuckDB gave them.
    """
    names = _unlike(columns)
    types = [_type_of(row[place] for row in rows) for place in range(len(names))]
    with duckdb.connect() as db, TemporaryDirectory() as folder:
        made = ", ".join(f"{sql.name(name)} {kind}" for name, kind in zip(names, types, strict=True))
        db.execute("SET TimeZone = 'UTC'")
        db.execute(f"CREATE TABLE result ({made})")
        marks = "(" + ", ".join(f"CAST(? AS {kind})" for kind in types) + ")"
        for first in range(0, len(rows), _AT_ONCE):
            some = rows[first : first + _AT_ONCE]
            flat = [_plain(value, kind) for row in some for value, kind in zip(row, types, strict=True)]
            db.execute(f"INSERT INTO result VALUES {', '.join([marks] * len(some))}", flat)
        path = Path(folder) / "result.parquet"
        db.execute(f"COPY result TO {sql.text(str(path))} (FORMAT parquet)")
        return path.read_bytes()


def _unlike(columns: Sequence[str]) -> list[str]:
    names: list[str] = []
    for column in columns:
        number, name = 1, column or "column"
        while name.lower() in {taken.lower() for taken in names}:
            number += 1
            name = f"{column}_{number}"
        names.append(name)
    return names


def _type_of(values: Iterable[object]) -> str:
    first = next((value for value in values if value is not None), None)
    return next((kind for python, kind in _TYPES if isinstance(first, python)), "VARCHAR")


def _plain(value: object, kind: str) -> object:
    if kind == "VARCHAR[]" and isinstance(value, list):
        return [None if part is None else str(part) for part in value]
    return str(value) if kind == "VARCHAR" and value is not None else value
