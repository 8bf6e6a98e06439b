"""The only place that writes a name or a text into SQL. Everything else passes what this module returns."""

from __future__ import annotations

from collections.abc import Iterable


def name(*parts: str) -> str:
    """A quoted identifier, with its schema when two parts are given: `name("accepted", "a b")` → `"accepted"."a b"`.

    Raises:
        ValueError: a part is empty or holds a NUL, which DuckDB cannot name.
    """
    for part in parts:
        if not part or "\0" in part:
            raise ValueError("an SQL name must have at least one character and no NUL")
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


def text(value: str) -> str:
    """A string literal: `text("it's")` → `'it''s'`. For places where DuckDB takes no parameter."""
    parts = ["'" + part.replace("'", "''") + "'" for part in value.split("\0")]
    # DuckDB 1.5 ends a statement at a NUL.
    return parts[0] if len(parts) == 1 else f"({' || chr(0) || '.join(parts)})"


def texts(values: Iterable[str]) -> str:
    """A list of string literals without brackets: `'a', 'b'`; `NULL` when there is none, so that `IN (…)` holds."""
    return ", ".join(text(value) for value in values) or "NULL"


def free_name(wanted: str, taken: set[str]) -> str:
    """`wanted`, or with `__2`, `__3`… when another has it: DuckDB's names have no case. Notes it in `taken`."""
    number, free = 1, wanted
    while free.lower() in taken:
        number += 1
        free = f"{wanted}__{number}"
    taken.add(free.lower())
    return free
