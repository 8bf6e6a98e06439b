"""The violation table of one batch: which row breaks which rule, filled in one pass over all rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Final

import duckdb

from dialogkit import sql
from dialogkit.validate.rule import Rule
from dialogkit.validate.threshold import acts

VIOLATIONS: Final = "stage_violations"
#: Rules of one statement: with more, each of its scans has less memory to read ahead in.
_CHUNK: Final = 20


def begin(db: duckdb.DuckDBPyConnection) -> None:
    """An empty table: `submission_id, table_name, row, path, rule, action`, one row a violation."""
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE {VIOLATIONS} (submission_id VARCHAR, table_name VARCHAR, row VARCHAR, "
        "path VARCHAR, rule VARCHAR, action VARCHAR)"
    )


def insert_all(db: duckdb.DuckDBPyConnection, rules: Sequence[Rule]) -> set[str]:
    """Run rules with a query by chunks; where a chunk fails, rule by rule. Gives the codes of those that failed."""
    failed: set[str] = set()
    rest = iter([rule for rule in rules if rule.query])
    while chunk := list(islice(rest, _CHUNK)):
        if not insert(db, chunk):
            failed |= {rule.code for rule in chunk if not insert(db, [rule])}
    return failed


def insert(db: duckdb.DuckDBPyConnection, rules: Sequence[Rule], queries: Sequence[str] = ()) -> bool:
    """Add what rules find, by their own queries or others; false when one fails, and then nothing is added."""
    parts = [
        f"SELECT v.id, {sql.text(rule.table)}, coalesce(v.row, ''), {sql.text(rule.path)}, {sql.text(rule.code)}, "
        f"{sql.text(rule.action)} FROM ({query}) AS v(id, row)"
        for rule, query in zip(rules, queries or [rule.query for rule in rules], strict=True)
    ]
    try:
        db.execute(f"INSERT INTO {VIOLATIONS} " + " UNION ALL ".join(parts))
    except duckdb.Error:  # its text may quote an answer: only that the rule failed is told
        return False
    return True


def add(db: duckdb.DuckDBPyConnection, rule: Rule, rows: Sequence[tuple[str, str]]) -> None:
    """Add rows (submission id, row) that were found without SQL."""
    if rows:
        ids, places = (list(column) for column in zip(*rows, strict=True))
        db.execute(
            f"INSERT INTO {VIOLATIONS} SELECT unnest($1), $3, unnest($2), $4, $5, $6",
            [ids, places, rule.table, rule.path, rule.code, rule.action],
        )


def forget(db: duckdb.DuckDBPyConnection, codes: Sequence[str]) -> None:
    """Take out what rules found that say nothing of the data after all."""
    if codes:
        db.execute(f"DELETE FROM {VIOLATIONS} WHERE rule IN ({sql.texts(codes)})")


def tolerate(db: duckdb.DuckDBPyConnection, rules: Sequence[Rule], by_python: Mapping[str, int]) -> dict[str, int]:
    """Turn what generated rules hold into notes where no more rows break them than `mostly` allows.

    Args:
        db: holds the violation table.
        rules: generated rules.
        by_python: how many rows Python looked at, by rule.

    Returns:
        How many rows each of these rules looked at.
    """
    found = counted(db)
    judged = {}
    for rule in rules:
        if rule.mostly < 1 and (rule.judged or rule.by_python):
            query = f"SELECT count(*) FROM ({rule.judged})" if rule.judged else "SELECT 0"
            (looked_at,) = db.execute(query).fetchone() or (0,)
            judged[rule.code] = looked_at + by_python.get(rule.code, 0)
            action = acts(rule.action, found.get(rule.code, (0, 0))[0], judged[rule.code], rule.mostly)
            db.execute(f"UPDATE {VIOLATIONS} SET action = ? WHERE rule = ?", [action, rule.code])
    return judged


def counted(db: duckdb.DuckDBPyConnection) -> Mapping[str, tuple[int, int]]:
    """Rows that break each rule, and how many submissions they belong to."""
    rows = db.execute(
        f"SELECT rule, count(*), count(DISTINCT submission_id) FROM {VIOLATIONS} GROUP BY rule"
    ).fetchall()
    return {rule: (count, submissions) for rule, count, submissions in rows}
