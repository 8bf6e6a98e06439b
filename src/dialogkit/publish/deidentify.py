"""Which rows and which values of each table may stand in a release (instruments.md 3.3, 3.4 and 3.6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import duckdb

from dialogkit import sql
from dialogkit.publish.variables import Extract, Variable

#: R6: no setting goes under it.
SMALLEST_CELL: Final = 5
_COUNTRY: Final = "geo.country"
#: Codes that begin with the country: they go where the country goes.
_TELLS_COUNTRY: Final = (_COUNTRY, "event.code", "event.parent_code")
_BARRIERS: Final = ("barrier.type", "barrier.set_access", "barrier.set_grant")

#: Why a record that was accepted is not in the extracts. How many stated a very serious risk is itself sensitive.
NOT_AGREED: Final = "not agreed to be published, or a very serious risk was stated"
REPLACED: Final = "another record of the same dialogue stands in its place"
#: What is taken from records that are in them. Which of the two reasons it was would tell of sensitive barriers.
REDUCED: Final = "only country and barrier codes are shown: the stated risk, or sensitive barriers"
BLANKED: Final = "country, and codes that begin with it, are blank: few records come from it"


@dataclass(frozen=True)
class Deidentified:
    """Queries that give the rows of each extract, and what was taken away.

    Args:
        queries: table → a query with the columns of ours and the published variables, sorted.
        counts: form → accepted, publishable, published.
        left_out: form → reason → records.
        reduced: form → what was taken from records that stayed → records.
    """

    queries: Mapping[str, str]
    counts: Mapping[str, Mapping[str, int]]
    left_out: Mapping[str, Mapping[str, int]]
    reduced: Mapping[str, Mapping[str, int]]


def deidentify(
    db: duckdb.DuckDBPyConnection, extracts: Sequence[Extract], release: str, smallest_cell: int
) -> Deidentified:
    """Prepare the rows of a release in temporary tables.

    Args:
        db: a snapshot; nothing in it is changed.
        extracts: the tables, parents before children.
        release: the name of the release: records are numbered in an order that depends on it and not on arrival.
        smallest_cell: a country with fewer records from phones is blanked; at least 5 whatever is set.
    """
    forms = tuple(dict.fromkeys(extract.form_id for extract in extracts))
    _choose_records(db, forms, release)
    _hide_countries(db, forms, max(smallest_cell, SMALLEST_CELL))
    queries = {}
    context = sql.texts(_context(db))
    places = {extract.table: f"release_{number}" for number, extract in enumerate(extracts)}
    for extract in extracts:
        db.execute(f"CREATE OR REPLACE TEMP TABLE {places[extract.table]} AS {_rows(extract, places, context)}")
        columns = ", ".join(sql.name(name) for name in (*extract.own, *(one.name for one in extract.published)))
        order = ", ".join(extract.key)
        queries[extract.table] = f"SELECT {columns} FROM {places[extract.table]} ORDER BY {order}"
    return Deidentified(queries, *_counts(db, forms))


def _choose_records(db: duckdb.DuckDBPyConnection, forms: Sequence[str], release: str) -> None:
    """`release_records`: each record that may appear, its number, and how much of it.

    A record is `reduced` to its country and barrier codes when the stated risk is high, unknown or not answered, and
    to its country when all barriers that it names are of the family "context": a blank in their place would tell.
    """
    db.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE release_records AS
        WITH context AS (
            SELECT DISTINCT a.form_id, a.submission_id FROM concepts.answers a
            LEFT JOIN concepts.barriers b ON b.barrier = a.value
            WHERE a.concept IN ({sql.texts(_BARRIERS)})
            GROUP BY a.form_id, a.submission_id, a.concept
            HAVING count(*) = count(CASE WHEN b.family = 'context' THEN 1 END)),
        chosen AS (
            SELECT r.form_id, r.submission_id, r.country, r.is_import,
                NOT r.is_import AND coalesce(r.risk, '') NOT IN ('low', 'moderate') AS at_risk,
                NOT r.is_import AND c.submission_id IS NOT NULL AS only_context
            FROM concepts.records r
            LEFT JOIN context c ON c.form_id = r.form_id AND c.submission_id = r.submission_id
            WHERE r.form_id IN ({sql.texts(forms)}) AND r.published_record)
        SELECT *, at_risk OR only_context AS reduced, false AS country_hidden,
            row_number() OVER (ORDER BY sha256(concat({sql.text(release)}, chr(10), form_id, chr(10), submission_id)))
                AS record
        FROM chosen
        """
    )


def _hide_countries(db: duckdb.DuckDBPyConnection, forms: Sequence[str], smallest: int) -> None:
    for form_id in forms:
        counts = db.execute(
            "SELECT country, count(*) FROM release_records WHERE form_id = ? AND NOT is_import AND country IS NOT NULL "
            "GROUP BY country",
            [form_id],
        ).fetchall()
        hidden = small_countries(dict(counts), smallest)
        db.execute(
            f"UPDATE release_records SET country_hidden = true WHERE form_id = ? AND NOT is_import "
            f"AND country IN ({sql.texts(hidden)})",
            [form_id],
        )


def small_countries(counts: Mapping[str, int], smallest: int) -> list[str]:
    """Countries to blank: those under `smallest`, and as many of the next as it takes to hide them among others.

    One blanked country, or fewer than `smallest` blanked records, could be told from a total (R6 d).
    """
    hidden: list[str] = []
    pool = 0
    for country, count in sorted(counts.items(), key=lambda pair: (pair[1], pair[0])):
        if count >= smallest and (not hidden or (pool >= smallest and len(hidden) > 1)):
            break
        hidden.append(country)
        pool += count
    return hidden


def _context(db: duckdb.DuckDBPyConnection) -> list[str]:
    return [code for (code,) in db.execute("SELECT barrier FROM concepts.barriers WHERE family = 'context'").fetchall()]


def _rows(extract: Extract, places: Mapping[str, str], context: str) -> str:
    values = "".join(f", {_value(variable, context)} AS {sql.name(variable.name)}" for variable in extract.published)
    source = f"{sql.name('accepted', extract.table)} t JOIN release_records r ON r.submission_id = t._submission_id"
    mine = f"r.form_id = {sql.text(extract.form_id)}"
    if not extract.repeat:
        return f"SELECT r.record, r.submission_id AS _submission_id{values} FROM {source} WHERE {mine}"
    parent = "NULL"
    if extract.nested:
        source += f" JOIN {places[extract.parent]} p ON p._submission_id = t._submission_id AND p._row = t._parent_row"
        parent = 'p."row"'
    return (
        "SELECT r.record, row_number() OVER (PARTITION BY r.record "
        "ORDER BY CAST(string_split(t._row, '/') AS INTEGER[])) AS \"row\", "
        f"{parent} AS parent_row, t._submission_id, t._row{values} FROM {source} "
        f"WHERE {mine} AND {_row_rule(extract, context)}"
    )


def _row_rule(extract: Extract, context: str) -> str:
    """Rows of an import stay; a phone's row stays unless it names a barrier of context or its record is reduced."""
    barriers = [one for one in extract.published if one.concept in _BARRIERS and one.kind != "select_multiple"]
    if not barriers:
        return "(r.is_import OR NOT r.reduced)"
    sensitive = " OR ".join(f"coalesce(t.{sql.name(one.name)} IN ({context}), false)" for one in barriers)
    named = " OR ".join(f"t.{sql.name(one.name)} IS NOT NULL" for one in barriers)
    return f"(r.is_import OR (NOT ({sensitive}) AND NOT r.only_context AND (NOT r.reduced OR {named})))"


def _value(variable: Variable, context: str) -> str:
    asked = f"t.{sql.name(variable.name)}"
    if variable.concept in _TELLS_COUNTRY:
        kept = "r.reduced" if variable.concept != _COUNTRY else "false"
        return f"CASE WHEN NOT (r.country_hidden OR {kept}) THEN {asked} END"
    if variable.concept not in _BARRIERS:
        return f"CASE WHEN NOT r.reduced THEN {asked} END"
    if variable.kind != "select_multiple":
        return f"CASE WHEN NOT r.only_context THEN {asked} END"
    others = f"list_filter({asked}, lambda code: code NOT IN ({context}))"
    return f"CASE WHEN r.is_import THEN {asked} WHEN NOT r.only_context THEN {others} END"


def _counts(
    db: duckdb.DuckDBPyConnection, forms: Sequence[str]
) -> tuple[dict[str, dict[str, int]], dict[str, dict[str, int]], dict[str, dict[str, int]]]:
    counts: dict[str, dict[str, int]] = {}
    left_out: dict[str, dict[str, int]] = {}
    reduced: dict[str, dict[str, int]] = {}
    for form_id in forms:
        accepted, replaced = _one(
            db,
            "SELECT count(*), count(*) FILTER (published_base AND replaced) FROM concepts.records WHERE form_id = ?",
            form_id,
        )
        published, fewer, hidden = _one(
            db,
            "SELECT count(*), count(*) FILTER (reduced), count(*) FILTER (country_hidden) FROM release_records "
            "WHERE form_id = ?",
            form_id,
        )
        counts[form_id] = {"accepted": accepted, "publishable": published + replaced, "published": published}
        left_out[form_id] = {NOT_AGREED: accepted - published - replaced, REPLACED: replaced}
        reduced[form_id] = {REDUCED: fewer, BLANKED: hidden}
    return counts, left_out, reduced


def _one(db: duckdb.DuckDBPyConnection, query: str, form_id: str) -> tuple[int, ...]:
    return tuple(int(count) for count in db.execute(query, [form_id]).fetchone() or ())
