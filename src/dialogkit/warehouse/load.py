"""Loads one staged and decided batch in a single transaction, and checks that nothing was lost."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

import duckdb

from dialogkit import sql
from dialogkit.errors import WarehouseError
from dialogkit.model.batch import Manifest
from dialogkit.model.report import Landed, Report
from dialogkit.model.staged import Staged
from dialogkit.model.table import Table
from dialogkit.warehouse import history
from dialogkit.warehouse.corrections import note_corrected
from dialogkit.warehouse.ddl import SCHEMAS, columns_in, own_columns, prepare_tables, write_codebook
from dialogkit.warehouse.lineage import write_lineage

#: Books that repeat something of an answer; a dropped submission has nothing in them.
WITH_ANSWERS: Final = ("issues", "drift", "attachments", "sources", "audit")
_PRESENT: Final = "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = current_database()"
#: Books with one or more rows a submission, cleared when a submission is replaced.
_BOOKS: Final = (*WITH_ANSWERS, "violations")


def load(db: duckdb.DuckDBPyConnection, staged: Staged, manifest: Manifest, report: Report) -> Landed:
    """Load what `validate` decided (temporary table `stage_decision`), in one transaction.

    Landing the same batch again changes nothing. Submissions that are landed again after a correction were pulled
    before: they are in no further row of `ops.runs`, whose counts are those of the landing of their batch.

    Raises:
        WarehouseError: the counts do not balance; nothing is loaded then.
    """
    db.begin()
    try:
        prepare_tables(db, staged.tables)
        write_codebook(db, staged.tables, staged.forms)
        write_lineage(db, staged.form_id, staged.lineage)
        note_corrected(db, staged)
        _decide_again(db, staged.form_id)
        _remove_replaced(db, staged, manifest.started_at)
        for table in staged.tables:
            _insert_rows(db, staged, table)
        _write_books(db, staged)
        _write_rules(db, staged, report)
        history.write_versions(db, staged, manifest)
        landed = _count(db, staged, manifest, report)
        if not staged.again:
            _write_run(db, manifest, landed)
    except BaseException:
        # After a fatal error of DuckDB there is nothing to roll back, and the first error is the one to tell.
        with suppress(duckdb.Error):
            db.rollback()
        raise
    db.commit()
    return landed


def has_landed(db: duckdb.DuckDBPyConnection, batch_id: str) -> bool:
    """Whether a batch has been landed."""
    return bool(db.execute("SELECT 1 FROM ops.runs WHERE batch_id = ?", [batch_id]).fetchone())


def write_refusals(db: duckdb.DuckDBPyConnection, form_id: str, by_server: Mapping[str, Mapping[str, int]]) -> None:
    """Replace the totals of what each server itself turned away (server → reason → count)."""
    db.begin()
    db.execute("DELETE FROM ops.refused_at_server WHERE form_id = ?", [form_id])
    for server, reasons in by_server.items():
        for reason, count in reasons.items():
            db.execute("INSERT INTO ops.refused_at_server VALUES (?, ?, ?, ?)", [server, form_id, reason, count])
    db.commit()


def drop_rows(db: duckdb.DuckDBPyConnection, tables: Sequence[str], ids: str, schemas: Sequence[str] = SCHEMAS) -> None:
    """Delete the rows of submissions from the tables of a form.

    Args:
        db: in a transaction.
        tables: names of the tables.
        ids: a query that gives submission ids.
        schemas: where to delete.
    """
    present = set(db.execute(_PRESENT).fetchall())
    for schema in schemas:
        for table in tables:
            if (schema, table) in present:
                db.execute(f"DELETE FROM {sql.name(schema, table)} WHERE _submission_id IN ({ids})")


def _decide_again(db: duckdb.DuckDBPyConnection, form_id: str) -> None:
    """A person's decision on exactly this edition of a submission, corrected as then, stands when it is landed anew.

    One that was dropped stays so even if it breaks no rule any more.
    """
    db.execute(
        """
        UPDATE stage_decision d SET state = CASE last.decision WHEN 'release' THEN 'accepted' ELSE 'dropped' END
        FROM (SELECT submission_id, instance_id, corrections, arg_max(decision, decided_at) AS decision
              FROM ops.decisions WHERE form_id = $form GROUP BY ALL) last
        JOIN stage_submissions s ON s.submission_id = last.submission_id AND s.instance_id = last.instance_id
        LEFT JOIN (FROM ops.corrected WHERE form_id = $form) c ON c.submission_id = s.submission_id
        WHERE s.submission_id = d.submission_id AND s.state = 'new' AND last.corrections = coalesce(c.applied, '')
            AND (d.state = 'held' OR last.decision = 'drop')
        """,
        {"form": form_id},
    )


def _remove_replaced(db: duckdb.DuckDBPyConnection, staged: Staged, at: str) -> None:
    if not history.find_replaced(db):
        return
    tables = [table.name for table in staged.tables]
    history.move_replaced(db, staged, at)
    drop_rows(db, tables, history.REPLACED)
    drop_rows(db, tables, history.REFUSED, ("history",))
    for book in _BOOKS:
        db.execute(
            f"DELETE FROM {sql.name('ops', book)} WHERE form_id = ? AND submission_id IN ({history.REPLACED})",
            [staged.form_id],
        )


def _insert_rows(db: duckdb.DuckDBPyConnection, staged: Staged, table: Table) -> None:
    relation = staged.relations[table.name]
    for schema in SCHEMAS:
        columns = columns_in(table, schema)
        if schema == "identifiers" and not columns:
            continue
        decided = _decided("held" if schema == "held" else "accepted", again=staged.again)
        names = [*own_columns(table, schema), *(column.name for column in columns)]
        source = ", ".join("'' AS _row" if name == "_row" and not table.repeat else sql.name(name) for name in names)
        target = ", ".join(sql.name(name) for name in names)
        some = " OR ".join(f"{sql.name(column.name)} IS NOT NULL" for column in columns)
        filled = f" AND ({some})" if schema == "identifiers" else ""
        db.execute(
            f"INSERT INTO {sql.name(schema, table.name)} ({target}) SELECT {source} FROM {relation} "
            f"WHERE _submission_id {decided}{filled}"
        )


def _decided(state: str, *, again: bool) -> str:
    """A condition on the id: the submissions that are held, or accepted.

    Most are accepted: looking up the others keeps the rows in order, and rows in order take less room. What is landed
    again may be staged among others of its batch, of which nothing was decided.
    """
    query = "SELECT submission_id FROM stage_decision WHERE state"
    return f"NOT IN ({query} <> 'accepted')" if state == "accepted" and not again else f"IN ({query} = '{state}')"


def _write_books(db: duckdb.DuckDBPyConnection, staged: Staged) -> None:
    form, batch = sql.text(staged.form_id), sql.text(staged.batch_id)
    kept = "submission_id IN (SELECT submission_id FROM stage_decision WHERE state <> 'dropped')"
    db.execute(
        f"INSERT INTO ops.issues SELECT submission_id, {form}, table_name, row, path, kind, raw "
        f"FROM {staged.issues} WHERE {kept}"
    )
    db.execute(f"INSERT INTO ops.drift SELECT submission_id, {form}, row, path, raw FROM {staged.drift} WHERE {kept}")
    db.execute(
        f"INSERT INTO ops.violations SELECT submission_id, {form}, table_name, row, path, rule, action "
        "FROM stage_violations"
    )
    db.execute(
        f"INSERT INTO ops.attachments SELECT submission_id, {form}, name, size, sha256, {batch} "
        f"FROM stage_attachments WHERE {kept}"
    )
    for book in ("sources", "audit"):
        db.execute(
            f"INSERT INTO ops.{book} SELECT submission_id, {form}, * EXCLUDE (submission_id) "
            f"FROM stage_{book} WHERE {kept}"
        )


def _write_rules(db: duckdb.DuckDBPyConnection, staged: Staged, report: Report) -> None:
    """What each rule did, and the words of those that were broken; words of earlier batches stay for what they hold."""
    for result in report.results:
        if result.violations or not result.evaluated:
            message = json.dumps(result.message, ensure_ascii=False)
            db.execute("DELETE FROM ops.rules WHERE form_id = ? AND rule = ?", [staged.form_id, result.code])
            db.execute(
                "INSERT INTO ops.rules VALUES (?, ?, ?, ?, ?, ?)",
                [staged.form_id, result.code, result.path, result.action, message, result.fix],
            )
    if not staged.again:
        _write_results(db, staged, report)


def _write_results(db: duckdb.DuckDBPyConnection, staged: Staged, report: Report) -> None:
    facts = [
        (one.code, one.action, one.path, one.state, one.violations, one.submissions, one.judged, one.undecided)
        for one in report.results
    ]
    if facts:
        columns = ", ".join(f"unnest(${number})" for number in range(3, 11))
        db.execute(
            f"INSERT INTO ops.rule_results SELECT $1, $2, {columns}",
            [staged.form_id, staged.batch_id, *(list(column) for column in zip(*facts, strict=True))],
        )


def _count(db: duckdb.DuckDBPyConnection, staged: Staged, manifest: Manifest, report: Report) -> Landed:
    rows = db.execute(
        """
        SELECT coalesce(d.state, s.state), count(*) FROM stage_submissions s
        LEFT JOIN stage_decision d ON d.submission_id = s.submission_id AND s.state = 'new' GROUP BY ALL
        """
    ).fetchall()
    states: Mapping[str, int] = dict(rows)
    landed = Landed(
        form_id=staged.form_id,
        batch_id=staged.batch_id,
        pulled=sum(states.values()) if staged.again else manifest.counts["submissions"],
        accepted=states.get("accepted", 0),
        held=states.get("held", 0),
        refused=states.get("refused", 0),
        already_known=states.get("known", 0) + states.get("dropped", 0),
        deleted=states.get("deleted", 0),
        again=staged.again,
        not_evaluated=report.not_evaluated,
        noted=report.noted,
        undecided=report.undecided,
    )
    in_tables = sum(_rows_in(db, staged.tables[0].name, schema) for schema in ("accepted", "held"))
    if not landed.balanced or in_tables != landed.accepted + landed.held:
        raise WarehouseError(
            "WAREHOUSE-007",
            f"batch {staged.batch_id}",
            f"The counts do not balance: {landed.as_dict()}; rows in tables: {in_tables}. Nothing was loaded.",
            "This is a defect of dialogkit: send us these counts.",
        )
    return landed


def _rows_in(db: duckdb.DuckDBPyConnection, table: str, schema: str) -> int:
    (count,) = db.execute(
        f"SELECT count(*) FROM {sql.name(schema, table)} WHERE _submission_id IN (SELECT submission_id "
        f"FROM stage_decision WHERE state = {sql.text(schema)})"
    ).fetchone() or (0,)
    return int(count)


def _write_run(db: duckdb.DuckDBPyConnection, manifest: Manifest, landed: Landed) -> None:
    db.execute(
        "INSERT INTO ops.runs VALUES (?, ?, ?, ?, now(), ?, ?, ?, ?, ?, ?)",
        [
            landed.batch_id,
            landed.form_id,
            manifest.server,
            manifest.origin,
            landed.pulled,
            landed.accepted,
            landed.held,
            landed.refused,
            landed.already_known,
            landed.deleted,
        ],
    )
