"""Validation of a million submissions: the violation table beside the same conditions run bare.

Nothing here imports Great Expectations: its 240 MB would count as memory of what does not need it.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from functools import partial
from pathlib import Path
from typing import Final

import duckdb

from dialogkit import sql
from dialogkit.logic.compile import run_on
from dialogkit.model.staged import Staged
from dialogkit.validate import violations
from dialogkit.validate.masked import judge_again
from dialogkit.validate.rule import Rule
from dialogkit.validate.rules import rules_of
from dialogkit.warehouse.connect import writing
from tests.benchmarks.meter import Meter, peak_megabytes
from tests.benchmarks.validating_prepare import ROWS, SCHEMA, TOLD

TODAY: Final = date(2026, 11, 21)
#: DuckDB's share; with less than a landing may have, because the gate beside it takes so much.
_MEMORY: Final = "200MB"


def bare(folder: Path) -> dict[str, float]:
    """The yardstick: the same conditions, each as one SELECT, in one UNION ALL into a table of id and rule."""
    with opened(folder) as (db, staged), run_on(db, TODAY):
        rules = _asked(staged)
        parts = [f"SELECT v.id, {sql.text(rule.code)} FROM ({rule.query}) v(id, row)" for rule in rules]
        with Meter() as meter:
            db.execute(f"CREATE TEMP TABLE found AS {' UNION ALL '.join(parts)}")
        (found,) = db.execute("SELECT count(*) FROM found").fetchone() or (0,)
    return {"cpu": meter.cpu, "peak": peak_megabytes(), "rules": len(rules), "found": found}


def violation_pass(folder: Path) -> dict[str, float]:
    """The violation table; submissions that answer what was not relevant are judged a second time."""
    with opened(folder) as (db, staged), run_on(db, TODAY):
        rules = _asked(staged)
        with Meter() as meter:
            violations.begin(db)
            failed = violations.insert_all(db, rules)
        with Meter() as again:
            failed |= judge_again(db, staged, rules, partial(violations.insert_all, db))
        (concerned,) = db.execute(
            f"SELECT count(DISTINCT submission_id) FROM {violations.VIOLATIONS} "
            "WHERE starts_with(rule, 'FORM-RELEVANT')"
        ).fetchone() or (0,)
    assert not failed
    return {"cpu": meter.cpu + again.cpu, "again": again.cpu, "concerned": concerned, "peak": peak_megabytes()}


@contextmanager
def opened(folder: Path) -> Iterator[tuple[duckdb.DuckDBPyConnection, Staged]]:
    """The staged rows, with the one thread of a landing."""
    with writing(folder / ROWS, memory_limit=_MEMORY) as db:
        db.execute(f"SET search_path = '{SCHEMA}'")
        staged: Staged = pickle.loads((folder / TOLD).read_bytes())  # as `prepare` wrote it
        yield db, staged


def _asked(staged: Staged) -> list[Rule]:
    return [rule for rule in rules_of(staged) if rule.query]
