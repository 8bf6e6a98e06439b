"""Submissions counted by form version, sender and country, without a number that could point at a person."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import duckdb

from dialogkit import sql
from dialogkit.model.report_page import Count, Group, Often, Texts, VersionCounts

#: How many rules are named beside a group.
_NAMED: Final = 3


@dataclass(frozen=True, slots=True)
class CountryColumn:
    """The column of a form's main table that holds a country from a choice list."""

    name: str
    list_name: str


@dataclass(frozen=True, slots=True)
class Counted:
    """A group before anything of it is held back."""

    labels: Texts
    submissions: int
    held: int
    rules: Mapping[str, int]


def versions(db: duckdb.DuckDBPyConnection, form_id: str) -> tuple[VersionCounts, ...]:
    """What became of the submissions of each form version, the newest version first."""
    rows = db.execute(
        """
        SELECT coalesce(s.form_version, ''), s.state, count(*), any_value(f.position)
        FROM ops.submissions s LEFT JOIN ops.forms f ON f.form_id = s.form_id AND f.version = s.form_version
        WHERE s.form_id = ? GROUP BY 1, 2 ORDER BY 4 DESC NULLS LAST, 1 DESC, 2
        """,
        [form_id],
    ).fetchall()
    states: dict[str, dict[str, int]] = {}
    for version, state, count, _ in rows:
        states.setdefault(version, {})[state] = count
    of = "SELECT submission_id, coalesce(form_version, '') AS name FROM ops.submissions WHERE form_id = $form"
    often = _rules_of(db, form_id, f"{of} AND state IN ('accepted', 'held')")
    return tuple(VersionCounts(name, found, _often(often.get(name, {}), 1)) for name, found in states.items())


def senders(db: duckdb.DuckDBPyConnection, form_id: str) -> tuple[Group, ...]:
    """Accepted and held submissions by the label of the key or account that sent them, every number told.

    The team sees who sent what in any case (the lists of what is to be corrected say it of each submission), and who
    sends is not who answers.
    """
    main = main_table(db, form_id)
    if not main:
        return ()
    found = _counted(db, form_id, main, "coalesce(_submitter, '')")
    return guarded([replace(one, labels={"": name} if name else {}) for name, one in found.items()], 0)


def countries(db: duckdb.DuckDBPyConnection, form_id: str, smallest: int) -> tuple[Group, ...] | None:
    """Accepted and held submissions by country; None when the form asks for none from a list."""
    column = country_column(db, form_id)
    if column is None:
        return None
    labels = choice_labels(db, form_id, column.list_name)
    # What is not on the list is somebody's own answer: it is counted with those that say nothing.
    known = f"CASE WHEN {sql.name(column.name)} IN ({sql.texts(labels)}) THEN {sql.name(column.name)} ELSE '' END"
    found = _counted(db, form_id, main_table(db, form_id), known)
    return guarded([replace(one, labels=labels.get(name, {})) for name, one in found.items()], smallest)


def main_table(db: duckdb.DuckDBPyConnection, form_id: str) -> str:
    """The name of a form's main table; empty before its first landing."""
    row = db.execute("SELECT table_name FROM ops.tables WHERE form_id = ? AND repeat = ''", [form_id]).fetchone()
    return str(row[0]) if row else ""


def country_column(db: duckdb.DuckDBPyConnection, form_id: str) -> CountryColumn | None:
    """The question whose concept is a country, when it is answered from a list and is no identifier."""
    row = db.execute(
        """
        SELECT c.column_name, c.list_name FROM ops.columns c
        WHERE c.form_id = ? AND c.repeat = '' AND c.kind = 'select_one' AND c.disclosure <> 'direct'
            AND (c.concept = 'country' OR c.concept LIKE '%.country')
            AND (SELECT count(*) FROM duckdb_columns() d WHERE d.database_name = current_database()
                AND d.table_name = c.table_name AND d.column_name = c.column_name
                AND d.schema_name IN ('accepted', 'held')) = 2
        ORDER BY c.concept <> 'geo.country', c.position LIMIT 1
        """,
        [form_id],
    ).fetchone()
    return CountryColumn(*row) if row else None


def choice_labels(db: duckdb.DuckDBPyConnection, form_id: str, list_name: str) -> dict[str, Texts]:
    """The labels of each choice of a list; its code where it has none."""
    rows = db.execute(
        "SELECT choice, labels FROM ops.choices WHERE form_id = ? AND list_name = ? ORDER BY position",
        [form_id, list_name],
    ).fetchall()
    return {choice: json.loads(labels) or {"": choice} for choice, labels in rows}


def guarded(groups: Sequence[Counted], smallest: int) -> tuple[Group, ...]:
    """The groups, largest first, without a number that could point at a person.

    Groups under `smallest` are joined in a last row, with the next larger ones until that row is large enough and
    holds two groups: otherwise the total of the form would tell the only small one. A number of held submissions under
    `smallest` is not told; when it is the only one, and not 0, the smallest other number goes too, for the same reason.
    Rules that enough of a group break are named without how many: the total of the rule would tell the other groups.
    """
    ordered = sorted(groups, key=lambda one: (-one.submissions, list(one.labels.values())))
    shown = [one for one in ordered if one.submissions >= smallest]
    rest = ordered[len(shown) :]
    while rest and shown and (len(rest) < 2 or sum(one.submissions for one in rest) < smallest):
        rest.insert(0, shown.pop())
    rows = [*shown, *([_joined(rest)] if rest else [])]
    hidden = {place for place, one in enumerate(rows) if one.held < smallest}
    others = [place for place in range(len(rows)) if place not in hidden]
    if len(hidden) == 1 and others and any(rows[place].held for place in hidden):
        hidden.add(min(others, key=lambda place: rows[place].held))
    return tuple(
        Group(
            one.labels,
            _told(one.submissions, smallest),
            "untold" if place in hidden and one.held >= smallest else _told(one.held, smallest),
            tuple(often.rule for often in _often(one.rules, smallest)),
            len(rest) if rest and place == len(shown) else 0,
        )
        for place, one in enumerate(rows)
    )


def _told(count: int, smallest: int) -> Count:
    return count if count >= smallest else "fewer"


def _joined(rest: Sequence[Counted]) -> Counted:
    rules: dict[str, int] = {}
    for one in rest:
        for rule, count in one.rules.items():
            rules[rule] = rules.get(rule, 0) + count
    return Counted({}, sum(one.submissions for one in rest), sum(one.held for one in rest), rules)


def _counted(db: duckdb.DuckDBPyConnection, form_id: str, main: str, group: str) -> dict[str, Counted]:
    """Groups by the value of an expression over the main table."""
    of = " UNION ALL ".join(
        f"SELECT _submission_id AS submission_id, {group} AS name, '{schema}' AS state FROM {sql.name(schema, main)}"
        for schema in ("accepted", "held")
    )
    rows = db.execute(f"SELECT name, count(*), count(*) FILTER (state = 'held') FROM ({of}) GROUP BY ALL").fetchall()
    rules = _rules_of(db, form_id, of)
    return {name: Counted({}, count, held, rules.get(name, {})) for name, count, held in rows}


def _rules_of(db: duckdb.DuckDBPyConnection, form_id: str, groups: str) -> dict[str, dict[str, int]]:
    """Group → rule → how many of its submissions break it. `groups` is a query of submission_id and name."""
    rows = db.execute(
        f"SELECT g.name, v.rule, count(DISTINCT v.submission_id) FROM ({groups}) g "
        f"JOIN ops.violations v ON v.form_id = {sql.text(form_id)} AND v.submission_id = g.submission_id GROUP BY ALL",
        {"form": form_id} if "$form" in groups else None,
    ).fetchall()
    found: dict[str, dict[str, int]] = {}
    for name, rule, count in rows:
        found.setdefault(name, {})[rule] = count
    return found


def _often(rules: Mapping[str, int], smallest: int) -> tuple[Often, ...]:
    ordered = sorted(((-count, rule) for rule, count in rules.items() if count >= smallest))
    return tuple(Often(rule, -count) for count, rule in ordered[:_NAMED])
