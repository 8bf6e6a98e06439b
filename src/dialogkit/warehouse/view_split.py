"""Lists of ticked choices as one column a choice: 1 ticked, 0 not, NULL where nothing was answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import duckdb

from dialogkit import sql
from dialogkit.warehouse.codebook import Asked, Labels, Shown

#: So many codes that no list has become columns of a question, the most frequent ones; what a hostile or broken source
#: sends beyond that stays in the list itself.
_UNLISTED: Final = 1000
#: So many columns are looked through in one statement.
_AT_ONCE: Final = 100


def split_view(
    db: duckdb.DuckDBPyConnection, table: Shown, choices: Mapping[tuple[str, str], Mapping[str, Labels]]
) -> str:
    """The query of `split.<table>`: keys, then `<column>/<choice>` for every choice of every version.

    Codes that stand in the answers but in no list come after those of the list.
    """
    asked = table.of_kind("select_multiple")
    found = _codes(db, table, asked)
    taken = {name.lower() for name in table.keys}
    columns = [sql.name(name) for name in table.keys]
    for column in asked:
        listed = choices.get((table.form_id, column.list_name), {})
        for code in [*listed, *_unlisted(found.get(column.name, {}), listed)]:
            # A name in SQL has no NUL.
            name = sql.free_name(f"{column.name}/{code}".replace("\0", "\ufffd"), taken)
            columns.append(f"list_contains({sql.name(column.name)}, {sql.text(code)})::TINYINT AS {sql.name(name)}")
    return f"SELECT {', '.join(columns)} FROM {sql.name('accepted', table.name)}"


def _codes(db: duckdb.DuckDBPyConnection, table: Shown, asked: Sequence[Asked]) -> dict[str, dict[str, int]]:
    """Column → code → how often it was ticked."""
    found: dict[str, dict[str, int]] = {}
    for first in range(0, len(asked), _AT_ONCE):
        queries = [
            f"SELECT {sql.text(column.name)}, code, count(*) FROM (SELECT unnest({sql.name(column.name)}) AS code "
            f"FROM {sql.name('accepted', table.name)}) WHERE code IS NOT NULL GROUP BY code"
            for column in asked[first : first + _AT_ONCE]
        ]
        for name, code, count in db.execute(" UNION ALL ".join(queries)).fetchall():
            found.setdefault(name, {})[code] = count
    return found


def _unlisted(found: Mapping[str, int], listed: Iterable[str]) -> list[str]:
    known = set(listed)
    others = {code: count for code, count in found.items() if code not in known}
    return sorted(sorted(others, key=lambda code: (-others[code], code))[:_UNLISTED])
