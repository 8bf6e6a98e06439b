"""Which day it was on the phone: what `today()` gave when a submission was finished.

`end` tells it with the offset of the phone; without it the question `today`, then `start`. Where a form asks none of
them, the last day that it can have been: that of the arrival at the server, in the zone that is furthest ahead.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from dialogkit import sql
from dialogkit.logic.sql_moments import minutes
from dialogkit.model.form import Form
from dialogkit.model.table import Table

#: Types of questions that a phone fills in with a day or a moment, the best first.
_TELLS: Final = ("end", "today", "start")
_FURTHEST: Final = timedelta(hours=14)


def tells_day(form: Form) -> bool:
    """Whether the phone wrote down its day in this version of the form."""
    return any(question.type in _TELLS for question in form.questions)


def day_in_sql(form: Form, main: Table, alias: str) -> str:
    """The day as an SQL expression over the rows of the main table (under an alias); NULL where nothing tells it."""
    told = [
        _told(main, question.path, alias) for kind in _TELLS for question in form.questions if question.type == kind
    ]
    arrived = (
        f"CAST(timezone('UTC', {alias}._submitted_at) + INTERVAL {int(_FURTHEST.total_seconds())} SECONDS AS DATE)"
    )
    return f"coalesce({', '.join([*filter(None, told), arrived])})"


def moment_of(form: Form, answers: Mapping[str, object], submitted_at: str) -> datetime | None:
    """The same of one submission in Python, as a moment of that day in the zone of the phone."""
    for kind in _TELLS:
        for question in form.questions:
            text = answers.get(question.path)
            if question.type == kind and isinstance(text, str) and (found := _moment(text)):
                return found
    arrived = _moment(submitted_at)
    return arrived + _FURTHEST if arrived else None


def _told(main: Table, path: str, alias: str) -> str:
    cells = {column.kind: f"{alias}.{sql.name(column.name)}" for column in main.columns if column.path == path}
    if "date" in cells:
        return cells["date"]
    if "datetime" not in cells:
        return ""
    ahead = f"to_minutes(CAST({minutes(cells['offset'])} AS BIGINT))" if "offset" in cells else "INTERVAL 0 MINUTES"
    return f"CAST(timezone('UTC', {cells['datetime']}) + {ahead} AS DATE)"


def _moment(text: str) -> datetime | None:
    """A moment with its zone; a day alone is a day anywhere."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
