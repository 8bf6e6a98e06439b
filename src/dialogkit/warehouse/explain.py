"""What the warehouse knows of one submission: its versions, decisions, rules and places; never an answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import duckdb

from dialogkit import sql
from dialogkit.warehouse.find import Found

#: Where rows of a submission may lie, as the story counts them.
_SCHEMAS = ("accepted", "held", "identifiers", "history")


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a submission, as long as it had one state.

    Args:
        since, until: how long it held; `until` is None for what it is now.
        landed_at: when its batch was loaded; None when nobody wrote that down.
        version_known: whether the form of that version is in the workspace, or came with a batch.
        reason: why it is held or refused; the words of a person after a decision.
    """

    since: datetime
    until: datetime | None
    landed_at: datetime | None
    server: str
    origin: str
    batch_id: str
    form_version: str
    version_known: bool
    instance_id: str
    submitted_at: datetime | None
    review_state: str
    edited: bool
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody decided on a held version, and why."""

    at: datetime
    decision: str
    by: str
    reason: str
    instance_id: str


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that a row of the submission breaks, in the words that it had when it was last broken."""

    rule: str
    action: str
    path: str
    row: str
    message: str


@dataclass(frozen=True, slots=True)
class Misfit:
    """An answer that does not fit the type of its question."""

    path: str
    row: str
    kind: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """An answer to a question that no known version of the form asks."""

    path: str
    row: str


@dataclass(frozen=True, slots=True)
class Correction:
    """An entry of the corrections ledger about the submission, and what became of it; neither value is told."""

    at: datetime
    by: str
    why: str
    path: str
    row: str
    change: str
    state: str
    id: str
    undoes: str


@dataclass(frozen=True)
class Story:
    """All of it.

    Args:
        versions, decisions: oldest first.
        issues, drift, violations: of the version that holds now; those of replaced versions are not kept.
        file_sizes: in bytes, largest first; names of files may be names of people and are left out.
        sources: how many values of an import have a sentence behind them.
        rows: table → schema → number of rows; only where there are any.
        corrections: oldest first; the ledger as it was last replayed.
    """

    form_id: str
    submission_id: str
    versions: tuple[Version, ...]
    decisions: tuple[Decision, ...] = ()
    violations: tuple[Violation, ...] = ()
    issues: tuple[Misfit, ...] = ()
    drift: tuple[Unknown, ...] = ()
    file_sizes: tuple[int, ...] = ()
    sources: int = 0
    rows: Mapping[str, Mapping[str, int]] | None = None
    corrections: tuple[Correction, ...] = ()

    @property
    def state(self) -> str:
        """What it is now."""
        return self.versions[-1].state


def tell(db: duckdb.DuckDBPyConnection, found: Found) -> Story:
    """The story of one submission.

    Args:
        db: the warehouse, up to date.
        found: of `find`.
    """
    mine = f"form_id = {sql.text(found.form_id)} AND submission_id = {sql.text(found.submission_id)}"
    (sources,) = db.execute(f"SELECT count(*) FROM ops.sources WHERE {mine} AND source_sentence <> ''").fetchone() or (
        0,
    )
    sizes = db.execute(f"SELECT size FROM ops.attachments WHERE {mine} ORDER BY size DESC").fetchall()
    decisions = db.execute(
        f"SELECT decided_at, decision, decided_by, reason, instance_id FROM ops.decisions WHERE {mine} ORDER BY 1"
    ).fetchall()
    issues = db.execute(f"SELECT path, row, kind FROM ops.issues WHERE {mine} ORDER BY ALL").fetchall()
    drift = db.execute(f"SELECT path, row FROM ops.drift WHERE {mine} ORDER BY ALL").fetchall()
    return Story(
        found.form_id,
        found.submission_id,
        versions=_versions(db, mine),
        decisions=tuple(Decision(*row) for row in decisions),
        violations=_violations(db, mine),
        issues=tuple(Misfit(*row) for row in issues),
        drift=tuple(Unknown(*row) for row in drift),
        file_sizes=tuple(size for (size,) in sizes),
        sources=int(sources),
        rows=_rows(db, found),
        corrections=_corrections(db, mine),
    )


def _versions(db: duckdb.DuckDBPyConnection, mine: str) -> tuple[Version, ...]:
    rows = db.execute(
        f"""
        SELECT v.valid_from, v.valid_to, r.landed_at, v.server, v.origin, v.batch_id, coalesce(v.form_version, ''),
            f.version IS NOT NULL, v.instance_id, v.submitted_at, v.review_state, v.edited, v.state, v.reason
        FROM (FROM ops.versions WHERE {mine}) v
        LEFT JOIN (SELECT batch_id, min(landed_at) AS landed_at FROM ops.runs GROUP BY ALL) r USING (batch_id)
        LEFT JOIN (SELECT DISTINCT form_id, version FROM ops.forms) f
            ON f.form_id = v.form_id AND f.version = coalesce(v.form_version, '')
        ORDER BY v.valid_from, v.valid_to NULLS LAST
        """
    ).fetchall()
    return tuple(Version(*row) for row in rows)


def _corrections(db: duckdb.DuckDBPyConnection, mine: str) -> tuple[Correction, ...]:
    # A warehouse that an older dialogkit has written has no such book.
    if not db.execute(
        "SELECT 1 FROM duckdb_tables() WHERE schema_name = 'ops' AND table_name = 'corrections'"
    ).fetchone():
        return ()
    rows = db.execute(
        "SELECT corrected_at, corrected_by, why, CASE WHEN change_type = 'remove_survey' THEN '' ELSE path END, row, "
        f"change_type, state, id, undoes FROM ops.corrections WHERE {mine} ORDER BY corrected_at, id"
    ).fetchall()
    return tuple(Correction(*row) for row in rows)


def _violations(db: duckdb.DuckDBPyConnection, mine: str) -> tuple[Violation, ...]:
    rows = db.execute(
        f"""
        SELECT v.rule, v.action, v.path, v.row, any_value(r.message) FROM (FROM ops.violations WHERE {mine}) v
        LEFT JOIN ops.rules r ON r.form_id = v.form_id AND r.rule = v.rule
        GROUP BY ALL ORDER BY v.action, v.rule, v.path, v.row
        """
    ).fetchall()
    return tuple(
        Violation(rule, action, path, row, json.loads(message)["en"] if message else "The rule is no longer there.")
        for rule, action, path, row, message in rows
    )


def _rows(db: duckdb.DuckDBPyConnection, found: Found) -> dict[str, dict[str, int]]:
    present = db.execute(
        f"""
        SELECT t.table_name, t.schema_name FROM duckdb_tables() t JOIN ops.tables o ON o.table_name = t.table_name
        WHERE t.database_name = current_database() AND t.schema_name IN ({sql.texts(_SCHEMAS)}) AND o.form_id = ?
        ORDER BY t.table_name, list_position([{sql.texts(_SCHEMAS)}], t.schema_name)
        """,
        [found.form_id],
    ).fetchall()
    counts: dict[str, dict[str, int]] = {}
    for table, schema in present:
        (count,) = db.execute(
            f"SELECT count(*) FROM {sql.name(schema, table)} WHERE _submission_id = ?", [found.submission_id]
        ).fetchone() or (0,)
        if count:
            counts.setdefault(table, {})[schema] = int(count)
    return counts
