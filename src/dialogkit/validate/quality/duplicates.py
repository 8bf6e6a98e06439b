"""Submissions with the same, or nearly the same, answers as another one."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final

import duckdb

from dialogkit import sql
from dialogkit.model.staged import Staged
from dialogkit.model.table import Column, Table
from dialogkit.validate.quality.ground import NO_PAST, Ground, total
from dialogkit.validate.quality.settings import Settings
from dialogkit.validate.rule import Rule

FINGERPRINTS: Final = "stage_fingerprints"


def stage_fingerprints(db: duckdb.DuckDBPyConnection, staged: Staged) -> None:
    """Fill `stage_fingerprints (submission_id, fingerprint, answers, submitted_at)`, a temporary table.

    Args:
        db: with the batch staged.
        staged: the batch.
    """
    ground = Ground(staged, NO_PAST, Settings("duplicate", "", asked=False))
    db.execute(f"CREATE OR REPLACE TEMP TABLE {FINGERPRINTS} AS {_fingerprints(ground)}")


def fingerprints(ground: Ground) -> str:
    """A relation `submission_id, fingerprint, answers, submitted_at` of the new submissions."""
    return FINGERPRINTS if ground.past.staged else f"({_fingerprints(ground)})"


def duplicates(ground: Ground) -> Iterator[Rule]:
    """Every answer is the same as in an earlier submission, of the batch or before it.

    The first of equal ones is never flagged: one batch or several give the same.
    """
    least = f"{ground.settings.number('least'):.0f}"
    query = (
        f"WITH f AS MATERIALIZED (SELECT * FROM {fingerprints(ground)} WHERE answers >= {least})"
        + (f", same AS MATERIALIZED ({_same(ground)})" if ground.past.fingerprints else "")
        + " SELECT submission_id, '' FROM (SELECT submission_id, row_number() OVER (PARTITION BY fingerprint "
        "ORDER BY submitted_at NULLS LAST, submission_id) AS nth FROM f) WHERE nth > 1"
    )
    yield ground.rule(query + (f" UNION {_before(ground)}" if ground.past.fingerprints else ""))


def _same(ground: Ground) -> str:
    """Those of `f` with each one that landed before and is the same: of the many, only fingerprints are looked at."""
    own = f"SELECT _submission_id FROM {ground.rows}"
    return (
        "SELECT f.submission_id, f.submitted_at, o.submission_id AS other, o.submitted_at AS other_at "
        "FROM f JOIN ops.fingerprints o ON o.fingerprint = f.fingerprint "
        f"WHERE o.form_id = {sql.text(ground.staged.form_id)} AND o.submission_id NOT IN ({own})"
    )


def _before(ground: Ground) -> str:
    """Of the same ones, the later of the two, or the one that landed later.

    One that has landed before itself, and is edited or corrected now, must not take the blame for its own copies.
    """
    known = (
        f"SELECT submission_id FROM ops.fingerprints WHERE form_id = {sql.text(ground.staged.form_id)} "
        "AND submission_id IN (SELECT submission_id FROM same)"
    )
    sent = "coalesce({}, TIMESTAMPTZ 'infinity')"
    return (
        f"SELECT submission_id, '' FROM same WHERE submission_id NOT IN ({known}) "
        f"OR ({sent.format('other_at')}, other) < ({sent.format('submitted_at')}, submission_id)"
    )


def near_duplicates(ground: Ground) -> Iterator[Rule]:
    """A share of the questions that both answered has the same answer (Kuriakose & Robbins 2016).

    Only submissions of one block are compared, and of a large block only those that follow one another, so that the
    pairs grow with the rows and not with their square.
    """
    columns = [column for column in ground.asked(ground.main) if _comparable(ground, column)]
    if not columns:
        ground.missing("questions outside repeats", "Take the rule out for this form.")
        return
    block, needed = _block(ground)
    cells = {f"c{number}": f"m.{sql.name(column.name)}" for number, column in enumerate(columns)}
    cells |= {"block": block, "sent": "m._submitted_at"}
    names = [*needed, *(column.name for column in columns)]
    # What cannot be a pair is left out before its answers are read.
    only = f"({block}) IN (SELECT {block} FROM {ground.rows} m)"
    rows = ground.population(ground.main, cells, names, names, only)
    pairs = [(f"a.c{number}", f"b.c{number}") for number in range(len(columns))]
    both = total([f"CAST({a} IS NOT NULL AND {b} IS NOT NULL AS INTEGER)" for a, b in pairs])
    same = total([f"CAST(coalesce({a} = {b}, FALSE) AS INTEGER)" for a, b in pairs])
    number = ground.settings.number
    query = (
        f"WITH p AS MATERIALIZED ({rows}), k AS MATERIALIZED (SELECT *, row_number() OVER (PARTITION BY block "
        "ORDER BY sent NULLS LAST, id) AS nth FROM p) "
        "SELECT DISTINCT a.id, '' FROM k a JOIN k b ON a.block = b.block "
        f"AND a.nth // {number('largest'):.0f} = b.nth // {number('largest'):.0f} "
        f"WHERE a.new AND a.id <> b.id AND (b.nth < a.nth OR {_landed_first(ground)}) "
        f"AND {both} >= {number('least'):.0f} "
        f"AND {same} >= {number('share')} * {both}"
    )
    yield ground.rule(query)


def _landed_first(ground: Ground) -> str:
    """SQL for whether `b` landed before `a` did for the first time."""
    if ground.main.name not in ground.past.columns:
        return "FALSE"
    known = f"SELECT _submission_id FROM {sql.name('accepted', ground.main.name)}"
    own = f"SELECT _submission_id FROM {ground.rows}"
    return f"(NOT b.new AND a.id NOT IN ({known} WHERE _submission_id IN ({own})))"


def _comparable(ground: Ground, column: Column) -> bool:
    """Whether earlier submissions can be compared by a column too: identifiers stand elsewhere."""
    before = ground.past.columns.get(ground.main.name)
    return before is None or column.name in before


def _block(ground: Ground) -> tuple[str, list[str]]:
    """The key of submissions that are compared, as SQL, and the columns that it reads."""
    parts, needed = [], []
    for word in ground.settings.texts("within"):
        if word == "enumerator":
            part, name = ground.enumerator()
        elif word == "day":
            start = ground.typed("start")
            name = start.name if start else "_submitted_at"
            part = f"CAST(CAST(m.{sql.name(name)} AT TIME ZONE 'UTC' AS DATE) AS VARCHAR)"
        else:
            name = ground.of_main(word).name
            part = f"CAST(m.{sql.name(name)} AS VARCHAR)"
        parts.append(f"coalesce({part}, '')")
        needed.append(name)
    return f"concat_ws(chr(31), {', '.join(parts)})", needed


def _fingerprints(ground: Ground) -> str:
    """A query of `submission_id, fingerprint, answers, submitted_at`: a hash of what was answered, repeats too.

    MD5, because it is the same in every version of DuckDB. Blanks count for nothing, so that a question that a later
    version adds changes no fingerprint.
    """
    texts, counts, joins = [f"m0.{_TEXT}"], [f"m0.{_COUNT}"], []
    for number, table in enumerate(ground.staged.tables):
        inner = _answers(ground, table)
        if not table.repeat:
            source = f"({inner}) m0"
            continue
        # A sum is the same in any order, and each row says its place; to put texts in order costs twice as much.
        rows = (
            f"SELECT id, sum(md5_number_lower(row || chr(30) || {_TEXT})) AS {_TEXT}, "
            f"sum({_COUNT}) AS {_COUNT} FROM ({inner}) GROUP BY id"
        )
        joins.append(f"LEFT JOIN ({rows}) m{number} ON m{number}.id = m0.id")
        texts.append(f"{sql.text(table.name)} || m{number}.{_TEXT}")
        counts.append(f"coalesce(m{number}.{_COUNT}, 0)")
    return (
        f"SELECT m0.id AS submission_id, md5_number_lower(concat_ws(chr(28), {', '.join(texts)})) AS fingerprint, "
        f"CAST({total(counts)} AS INTEGER) AS answers, m0.sent AS submitted_at FROM {source} {' '.join(joins)}"
    )


_TEXT: Final = "told"
_COUNT: Final = "n"


def _answers(ground: Ground, table: Table) -> str:
    """A query of `id`, `row` (of the main table: `sent`), the answers of a row as one text, and how many they are."""
    columns = ground.asked(table)
    texts = [f"{sql.text(_mark(column))} || {_as_text(column)}" for column in columns]
    counts = [f"CAST({sql.name(column.name)} IS NOT NULL AS INTEGER)" for column in columns]
    own = "_row AS row" if table.repeat else "_submitted_at AS sent"
    return (
        f"SELECT _submission_id AS id, {own}, concat_ws(chr(31), {', '.join(texts) or 'NULL'}) AS {_TEXT}, "
        f"{total(counts)} AS {_COUNT} FROM {ground.relation(table)}"
    )


def _mark(column: Column) -> str:
    """A few signs for the column in the place of its name, which would be half of what is hashed."""
    return f"{zlib.crc32(column.name.encode()):08x}"[:4]


def _as_text(column: Column) -> str:
    name = sql.name(column.name)
    return f"CAST(epoch_us({name}) AS VARCHAR)" if column.kind == "datetime" else f"CAST({name} AS VARCHAR)"
