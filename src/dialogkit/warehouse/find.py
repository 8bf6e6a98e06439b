"""Finds a submission by its whole id or by its beginning, in one way for every command."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from dialogkit import sql

_PREFIX = "uuid:"
#: More are never told apart by a person.
_MOST = 1000


@dataclass(frozen=True, slots=True)
class Found:
    """A submission of a form. The same id may stand in two forms."""

    form_id: str
    submission_id: str


def find(
    db: duckdb.DuckDBPyConnection, begins: str, *, form_id: str = "", states: Sequence[str] = ()
) -> tuple[Found, ...]:
    """Which submissions are meant: those of exactly this id, otherwise those whose id begins so.

    Args:
        db: the warehouse.
        begins: an id or its beginning, with or without `uuid:`.
        form_id: only of this form.
        states: only those that are in one of these states now.

    Returns:
        None at all when there are none, or `begins` is empty; several when it is not enough to tell them apart.
    """
    bare = begins.removeprefix(_PREFIX)
    if not bare or not _is_text(bare):
        return ()
    conditions = ["valid_to IS NULL", is_meant("submission_id", begins)]
    if form_id:
        conditions.append(f"form_id = {sql.text(form_id)}")
    if states:
        conditions.append(f"state IN ({sql.texts(states)})")
    rows = db.execute(
        f"SELECT DISTINCT form_id, submission_id FROM ops.versions WHERE {' AND '.join(conditions)} "
        f"ORDER BY submission_id <> {sql.text(begins)}, submission_id, form_id LIMIT {_MOST}"
    ).fetchall()
    found = tuple(Found(*row) for row in rows)
    return tuple(one for one in found if one.submission_id == begins) or found


def _is_text(given: str) -> bool:
    """A terminal may hand over bytes that are no text; no id has such."""
    try:
        return bool(given.encode())
    except UnicodeEncodeError:
        return False


def is_meant(column: str, begins: str) -> str:
    """A condition: the id in `column` is `begins` or begins so, with or without `uuid:` on either side."""
    bare = sql.text(begins.removeprefix(_PREFIX))
    return f"starts_with(regexp_replace({column}, '^{_PREFIX}', ''), {bare})"


def begins_so(submission_id: str, begins: str) -> bool:
    """The same for an id that is not in the warehouse."""
    bare = begins.removeprefix(_PREFIX)
    return bool(bare) and submission_id.removeprefix(_PREFIX).startswith(bare)
