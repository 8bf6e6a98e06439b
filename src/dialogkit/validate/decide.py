"""What becomes of each submission that was judged: accepted, or held with its reasons."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Final

import duckdb

from dialogkit import sql
from dialogkit.errors import RulesNotMet
from dialogkit.model.report import Report
from dialogkit.model.staged import Staged
from dialogkit.problem import Problem
from dialogkit.validate.violations import counted

DECISION: Final = "stage_decision"
_SHOWN: Final = 20


def decide(db: duckdb.DuckDBPyConnection, staged: Staged, report: Report, on_failure: str) -> None:
    """Fill the temporary table `stage_decision (submission_id, state, reason)` for every new submission.

    Args:
        db: holds the staged tables and the violations.
        staged: the batch.
        report: of `check`.
        on_failure: `hold` or `stop`.

    Raises:
        RulesNotMet: RULES-001, with `stop` and a violation that holds.
    """
    db.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE {DECISION} AS
        SELECT s.submission_id, CASE WHEN v.reason IS NULL THEN 'accepted' ELSE 'held' END AS state,
            coalesce(v.reason, '') AS reason
        FROM {sql.name(staged.submissions)} s LEFT JOIN (
            SELECT submission_id, string_agg(DISTINCT rule, ', ' ORDER BY rule) AS reason
            FROM {sql.name(report.violations)} WHERE action = 'hold' GROUP BY submission_id
        ) v ON v.submission_id = s.submission_id
        WHERE s.state = 'new'
        """
    )
    if on_failure == "stop":
        _stop_if_held(db, staged, report)


def narrow(
    db: duckdb.DuckDBPyConnection, staged: Staged, report: Report, ids: Collection[str]
) -> tuple[Staged, Report]:
    """Leave only some submissions of a batch to be decided on: the others were judged for the sake of these.

    Args:
        db: holds the staged tables and the violations.
        staged: the batch.
        report: of `check`.
        ids: of the submissions that stay.

    Returns:
        What is staged and the report, both of these only; other rows stay in the staged tables.
    """
    others = f"submission_id NOT IN ({sql.texts(sorted(ids))})"
    for table in (staged.submissions, report.violations):
        db.execute(f"DELETE FROM {sql.name(table)} WHERE {others}")
    left = counted(db)
    results = [
        replace(one, violations=left.get(one.code, (0, 0))[0], submissions=left.get(one.code, (0, 0))[1])
        for one in report.results
    ]
    corrected = {id_: one for id_, one in staged.corrected.items() if id_ in ids}
    return replace(staged, corrected=corrected), replace(report, results=tuple(results))


def _stop_if_held(db: duckdb.DuckDBPyConnection, staged: Staged, report: Report) -> None:
    (held,) = db.execute(f"SELECT count(*) FROM {DECISION} WHERE state = 'held'").fetchone() or (0,)
    if not held:
        return
    results = {result.code: result for result in report.results}
    rows = db.execute(
        f"SELECT submission_id, rule, path, row FROM {sql.name(report.violations)} "
        f"WHERE action = 'hold' ORDER BY ALL LIMIT {_SHOWN}"
    ).fetchall()
    problems = tuple(
        Problem(
            rule.partition(":")[0],
            "held",
            f"{staged.form_id}, submission {submission}, {path or 'whole submission'}{f', row {row}' if row else ''}",
            results[rule].message["en"],
            results[rule].fix,
        )
        for submission, rule, path, row in rows
    )
    raise RulesNotMet(
        "RULES-001",
        f"{staged.form_id}, batch {staged.batch_id}",
        f"{held} submissions break a rule, and [land] on_failure is “stop”: nothing of the batch is loaded.",
        'Set on_failure = "hold" in dialogkit.toml and land again; then decide on each: dialogkit held list',
        problems,
    )
