"""Counts for the report of a warehouse: submissions, rules, runs, corrections; never an answer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final

import duckdb

from dialogkit.errors import WarehouseError
from dialogkit.model.report_page import WAITING, Bar, FormCounts, RuleCounts, Unit
from dialogkit.warehouse.report_groups import countries, senders, versions

#: More bars than this cannot be told apart.
_MOST_BARS: Final = 30
#: What a bar may stand for when there are more runs; of months the last ones are shown.
_UNITS: Final[tuple[Unit, ...]] = ("day", "week", "month")


def check_books(db: duckdb.DuckDBPyConnection, where: str) -> None:
    """For readers, who cannot bring a warehouse up to date.

    Raises:
        WarehouseError: WAREHOUSE-060, it does not count rules yet.
    """
    book = "schema_name = 'ops' AND table_name = 'rule_results' AND database_name = current_database()"
    if not db.execute(f"SELECT 1 FROM duckdb_tables() WHERE {book}").fetchone():
        raise WarehouseError(
            "WAREHOUSE-060",
            where,
            "An older dialogkit has written this warehouse: it does not say what each rule did.",
            "Bring it up to date with: dialogkit land",
        )


def landed_forms(db: duckdb.DuckDBPyConnection) -> list[str]:
    """Every form of which something has landed."""
    rows = db.execute("SELECT DISTINCT form_id FROM ops.runs ORDER BY ALL").fetchall()
    return [form_id for (form_id,) in rows]


def form_counts(db: duckdb.DuckDBPyConnection, form_id: str, smallest: int, now: datetime) -> FormCounts:
    """Everything that the report says of one form.

    Args:
        db: the warehouse; `check_books` has passed.
        form_id: of the form; one of which nothing has landed has zeros everywhere.
        smallest: the smallest group of a country whose number is told.
        now: with its zone; how long held submissions wait ends here.
    """
    rules = _rules(db, form_id)
    broken = sorted((rule for rule in rules if rule.rows), key=_weight)
    unit, trend = joined_bars(_runs(db, form_id))
    return FormCounts(
        form_id=form_id,
        title=_title(db, form_id),
        states=_counts(db, "SELECT state, count(*) FROM ops.submissions WHERE form_id = ? GROUP BY ALL", form_id),
        refused=_counts(db, "SELECT reason, sum(n)::BIGINT FROM ops.refused WHERE form_id = ? GROUP BY ALL", form_id),
        turned_away=sum(_counts(db, "SELECT reason, n FROM ops.refused_at_server WHERE form_id = ?", form_id).values()),
        broken=tuple(broken),
        unjudged=tuple(rule for rule in rules if rule.failed or rule.undecided),
        quiet=sum(not (rule.rows or rule.failed or rule.undecided) for rule in rules),
        versions=versions(db, form_id),
        senders=senders(db, form_id),
        countries=countries(db, form_id, smallest),
        unit=unit,
        trend=trend,
        waiting=_waiting(db, form_id, now),
        corrections=_counts(db, "SELECT state, count(*) FROM ops.corrections WHERE form_id = ? GROUP BY ALL", form_id),
    )


def labels_by_path(db: duckdb.DuckDBPyConnection, form_id: str) -> dict[str, Mapping[str, str]]:
    """The labels of each question, also under its earlier paths; of a repeat, those of its column of row counts."""
    rows = db.execute(
        "SELECT path, labels, coalesce(was, '[]') FROM ops.columns WHERE form_id = ? ORDER BY kind = 'rows', position",
        [form_id],
    ).fetchall()
    found: dict[str, Mapping[str, str]] = {}
    for path, labels, was in rows:
        for one in (path, *json.loads(was)):
            found.setdefault(one, json.loads(labels))
    return found


def joined_bars(runs: Sequence[Bar]) -> tuple[Unit, tuple[Bar, ...]]:
    """Runs in their order, joined by day, week or month when they are too many to be drawn."""
    if len(runs) <= _MOST_BARS:
        return "run", tuple(runs)
    for unit in _UNITS:
        by_begin: dict[date, list[Bar]] = {}
        for bar in runs:
            by_begin.setdefault(_begin(bar.begins, unit), []).append(bar)
        if len(by_begin) <= _MOST_BARS or unit == _UNITS[-1]:
            break
    bars = [_sum(begins, some) for begins, some in sorted(by_begin.items())]
    return unit, tuple(bars[-_MOST_BARS:])


def _begin(day: date, unit: Unit) -> date:
    if unit == "month":
        return day.replace(day=1)
    return date.fromordinal(day.toordinal() - day.weekday()) if unit == "week" else day


def _sum(begins: date, bars: Sequence[Bar]) -> Bar:
    return Bar(
        begins,
        sum(bar.accepted for bar in bars),
        sum(bar.held for bar in bars),
        sum(bar.refused for bar in bars),
        sum(bar.violations for bar in bars),
    )


def _runs(db: duckdb.DuckDBPyConnection, form_id: str) -> list[Bar]:
    """By the day of the pull, which the id of a batch begins with: a rebuild lands all of them on one day."""
    rows = db.execute(
        """
        SELECT coalesce(try_strptime(r.batch_id[:8], '%Y%m%d')::DATE, r.landed_at::DATE),
            r.accepted, r.held, r.refused, coalesce(b.n, 0)
        FROM ops.runs r
        LEFT JOIN (SELECT batch_id, sum(violations)::BIGINT AS n FROM ops.rule_results WHERE form_id = $form
            GROUP BY ALL) b ON b.batch_id = r.batch_id
        WHERE r.form_id = $form AND r.pulled > 0 ORDER BY 1, r.batch_id
        """,
        {"form": form_id},
    ).fetchall()
    return [Bar(*row) for row in rows]


def _rules(db: duckdb.DuckDBPyConnection, form_id: str) -> list[RuleCounts]:
    """Every rule that was ever judged or is broken now, in the order of the form."""
    rows = db.execute(
        """
        WITH now AS (
            SELECT v.rule, any_value(v.path) AS path, any_value(v.action) AS action, count(*) AS rows,
                count(DISTINCT v.submission_id) AS submissions
            FROM ops.violations v JOIN ops.submissions s USING (form_id, submission_id)
            WHERE form_id = $form AND s.state IN ('accepted', 'held') GROUP BY ALL),
        judged AS (
            SELECT rule, arg_max(path, batch_id) AS path, arg_max(action, batch_id) AS action,
                count(*) FILTER (state = 'evaluated') AS evaluated,
                count(*) FILTER (state = 'failed to run') AS failed,
                count(*) FILTER (state = 'not decidable') AS undecided,
                arg_max(reason, batch_id) FILTER (reason <> '') AS reason
            FROM ops.rule_results WHERE form_id = $form GROUP BY ALL),
        words AS (SELECT rule, any_value(message) AS message FROM ops.rules WHERE form_id = $form GROUP BY ALL)
        SELECT rule, coalesce(j.action, n.action), coalesce(j.path, n.path), w.message, coalesce(n.rows, 0),
            coalesce(n.submissions, 0), coalesce(j.evaluated, 0), coalesce(j.failed, 0), coalesce(j.undecided, 0),
            coalesce(j.reason, '')
        FROM judged j FULL JOIN now n USING (rule) LEFT JOIN words w USING (rule) ORDER BY rule
        """,
        {"form": form_id},
    ).fetchall()
    labels = labels_by_path(db, form_id)
    return [
        RuleCounts(code, action, path, labels.get(path, {}), json.loads(message or "{}"), *counts)
        for code, action, path, message, *counts in rows
    ]


def _weight(rule: RuleCounts) -> tuple[bool, int, int, str]:
    """What holds submissions goes first, then what most of them break."""
    return rule.action != "hold", -rule.submissions, -rule.rows, rule.code


def _waiting(db: duckdb.DuckDBPyConnection, form_id: str, now: datetime) -> tuple[int, ...]:
    rows = db.execute(
        "SELECT greatest(date_diff('hour', valid_from, $now) // 24, 0), count(*) FROM ops.versions "
        "WHERE form_id = $form AND state = 'held' AND valid_to IS NULL GROUP BY ALL",
        {"form": form_id, "now": now},
    ).fetchall()
    ends = (*WAITING[1:], None)
    return tuple(
        sum(count for days, count in rows if days >= first and (end is None or days < end))
        for first, end in zip(WAITING, ends, strict=True)
    )


def _title(db: duckdb.DuckDBPyConnection, form_id: str) -> str:
    row = db.execute("SELECT arg_max(title, position) FROM ops.forms WHERE form_id = ?", [form_id]).fetchone()
    return str(row[0]) if row and row[0] else form_id


def _counts(db: duckdb.DuckDBPyConnection, query: str, form_id: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, count in db.execute(query, [form_id]).fetchall():
        found[name] = found.get(name, 0) + int(count)
    return found
