"""Times that cannot be, work outside hours, and forms filled in too fast."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dialogkit import sql
from dialogkit.logic.sql_moments import minutes
from dialogkit.model.table import Column
from dialogkit.validate.quality.duplicates import fingerprints
from dialogkit.validate.quality.ground import Ground
from dialogkit.validate.rule import Rule

#: Events of the audit file in which a question is on the screen.
_ON_SCREEN: Final = ("question", "group questions")


def clock(ground: Ground) -> Iterator[Rule]:
    """It ended before it began, or reached the server before it ended."""
    start, end = ground.typed("start"), ground.typed("end")
    broken = []
    if start and end:
        broken.append(f"m.{sql.name(end.name)} < m.{sql.name(start.name)}")
    if last := end or start:
        slack = 60 * ground.settings.number("minutes")
        broken.append(f"m._submitted_at + to_seconds({slack}) < m.{sql.name(last.name)}")
    if not broken:
        ground.missing("a start or an end", "Add rows of type start and end to the form.")
        return
    yield ground.rule(f"SELECT m._submission_id, '' FROM {ground.rows} m WHERE {' OR '.join(broken)}")


def hours(ground: Ground) -> Iterator[Rule]:
    """It was begun outside the hours of work, by the offset from UTC that the phone wrote down."""
    start = ground.typed("start")
    offset = _offset(ground, start) if start else None
    if not start or not offset:
        ground.missing("a start", "Add a row of type start to the form.")
        return
    begins, ends = ground.settings.text("from"), ground.settings.text("to")
    local = f"CAST((m.{sql.name(start.name)} AT TIME ZONE 'UTC') + {_shift(offset)} AS TIME)"
    # Work may go past midnight.
    link = "OR" if begins < ends else "AND"
    yield ground.rule(
        f"SELECT id, '' FROM (SELECT m._submission_id AS id, {local} AS local FROM {ground.rows} m) "
        f"WHERE local < TIME {sql.text(begins)} {link} local >= TIME {sql.text(ends)}"
    )


def speed(ground: Ground) -> Iterator[Rule]:
    """Filled in faster than a limit, or than a share of the median, by the time for each question answered."""
    seconds = _audit() if ground.settings.text("time") == "audit" else _by_clock(ground)
    if not seconds:
        ground.missing("a start and an end", 'Add them to the form, or write time = "audit".')
        return
    number = ground.settings.number
    limits = [f"k >= {number('smallest'):.0f} AND s / n < {number('of_median')} * mid"]
    if number("seconds"):
        limits.append(f"s < {number('seconds')}")
    if number("seconds_per_answer"):
        limits.append(f"s / n < {number('seconds_per_answer')}")
    yield ground.rule(
        f"WITH d AS MATERIALIZED (SELECT t.id, t.s, f.answers AS n FROM ({seconds}) t "
        f"JOIN {fingerprints(ground)} f ON f.submission_id = t.id "
        f"WHERE t.s >= 0 AND f.answers >= {number('least'):.0f}) "
        "SELECT id, '' FROM d, (SELECT median(s / n) AS mid, count(*) AS k FROM d) "
        f"WHERE {' OR '.join(f'({limit})' for limit in limits)}"
    )


def _by_clock(ground: Ground) -> str:
    """A query of `id, s`: seconds from the start to the end."""
    start, end = ground.typed("start"), ground.typed("end")
    if not start or not end:
        return ""
    spent = f"(epoch_us({sql.name(end.name)}) - epoch_us({sql.name(start.name)})) / 1e6"
    return f"SELECT _submission_id AS id, {spent} AS s FROM {ground.rows}"


def _audit() -> str:
    """A query of `id, s`: seconds with a question on the screen.

    Where changes are tracked, every changed question of a screen has an event as long as the screen: counted once.
    """
    return (
        "SELECT submission_id AS id, sum(seconds) AS s FROM (SELECT DISTINCT submission_id, began, ended, seconds "
        f"FROM stage_audit WHERE event IN ({sql.texts(_ON_SCREEN)})) GROUP BY submission_id"
    )


def _offset(ground: Ground, start: Column) -> Column | None:
    return next((one for one in ground.main.columns if one.kind == "offset" and one.path == start.path), None)


def _shift(offset: Column) -> str:
    """`+05:30` as an interval; NULL where no offset was written."""
    cell = f"m.{sql.name(offset.name)}"
    return f"CASE WHEN {cell} IS NOT NULL THEN to_minutes({minutes(cell)}) END"
