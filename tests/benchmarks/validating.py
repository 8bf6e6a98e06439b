"""Validation of a million rows: the pass over all rules and the gate, beside the same conditions run bare.

A batch is never larger than 100,000; so 100,000 submissions are staged as by a landing, and their tables are then
multiplied by SQL, with other ids, into a file that every measured process opens.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from functools import partial
from pathlib import Path
from typing import Final

import duckdb

from dialogkit import sql
from dialogkit.forms.build import build_form
from dialogkit.forms.versions import keep_version
from dialogkit.logic.compile import run_on
from dialogkit.model.form import BuiltForm
from dialogkit.model.staged import Staged
from dialogkit.normalize.staging import stage
from dialogkit.pull.batches import LARGEST, batches, open_batch
from dialogkit.pull.writer import new_batch
from dialogkit.validate import violations
from dialogkit.validate.masked import judge_again
from dialogkit.validate.rule import Rule
from dialogkit.validate.rules import rules_of
from dialogkit.validate.suites import read_suite
from dialogkit.warehouse.connect import writing
from dialogkit.workspace import Workspace, open_workspace
from tests.benchmarks.logical import FORM_ID, form_markdown, submissions, suite_toml, whole_form_toml
from tests.benchmarks.meter import Meter, peak_megabytes

_DAY: Final = date(2026, 11, 21)
_MADE: Final = "staged.duckdb"
_TOLD: Final = "staged.pickle"
_SCHEMA: Final = "many"
_TOML = f"""\
[workspace]
name = "benchmark"
team_contact = "benchmark"
team_server = "this computer"

[servers.field]
kind = "openrosa"
listen = "127.0.0.1:0"

[forms.{FORM_ID}]
file = "forms/{FORM_ID}.md"
server = "field"
"""
#: Own rows of a relation, and the columns that hold an id.
_IDS: Final = ("_submission_id", "submission_id", "id")


def prepare_rows(folder: Path, count: int) -> dict[str, float]:
    """Not a measure: stage the submissions, and multiply them up to `count` rows."""
    workspace, built = logical_workspace(folder)
    first = min(count, LARGEST)
    with new_batch(workspace.batches, FORM_ID, "server", "kobo") as batch:
        for one in submissions(first):
            batch.add(one, built.form)
    with _opened(folder) as db:
        staged = _stage(db, workspace)
        db.execute(f"CREATE SCHEMA {_SCHEMA}")
        sizes = {name: _keep(db, name, count // first) for name in _tables(staged)}
    (folder / _TOLD).write_bytes(pickle.dumps(staged))
    rows = sum(sizes[name] for name in staged.relations.values())
    return {"submissions": sizes[staged.relations[FORM_ID]], "rows": rows}


def bare(folder: Path) -> dict[str, float]:
    """The yardstick: the same conditions, each as one SELECT, in one UNION ALL."""
    with _opened(folder) as db, run_on(db, _DAY):
        rules = _asked(_staged(db, folder))
        parts = [f"SELECT v.id, {sql.text(rule.code)} FROM ({rule.query}) v(id, row)" for rule in rules]
        statement = f"CREATE TEMP TABLE found AS {' UNION ALL '.join(parts)}"
        with Meter() as meter:
            db.execute(statement)
        (found,) = db.execute("SELECT count(*) FROM found").fetchone() or (0,)
    return {"cpu": meter.cpu, "peak": peak_megabytes(), "rules": len(rules), "found": found}


def violation_pass(folder: Path) -> dict[str, float]:
    """The violation table, with what answers that are not relevant make of the other rules."""
    with _opened(folder) as db, run_on(db, _DAY):
        staged = _staged(db, folder)
        rules = _asked(staged)
        violations.begin(db)
        with Meter() as first:
            failed = violations.insert_all(db, rules)
        with Meter() as second:
            failed |= judge_again(db, staged, rules, partial(violations.insert_all, db))
        assert not failed
        (again,) = db.execute(
            f"SELECT count(DISTINCT submission_id) FROM {violations.VIOLATIONS} WHERE starts_with(rule, 'FORM-RELEV')"
        ).fetchone() or (0,)
    return {"cpu": first.cpu + second.cpu, "again": second.cpu, "concerned": again, "peak": peak_megabytes()}


def pass_and_gate(folder: Path, *, people: bool = False) -> dict[str, float]:
    """The whole check, Great Expectations imported before; with rules of people too where they are asked for."""
    from dialogkit.validate.check import check  # noqa: PLC0415 - three seconds that only this measure needs

    with _opened(folder) as db:
        staged = _staged(db, folder)
        with Meter() as making:
            rules = rules_of(staged)
        suite = read_suite(folder / "validations" / f"{FORM_ID}.toml", staged, db) if people else ()
        with Meter() as meter:
            report = check(db, staged, (*rules, *suite), today=_DAY)
        assert all(result.evaluated for result in report.results)
    found = sum(result.violations for result in report.results)
    return {
        "cpu": meter.cpu,
        "making": making.cpu,
        "peak": peak_megabytes(),
        "found": found,
        "rules": len(_asked(staged)),
        "people": len(suite),
    }


def beside_many(folder: Path, count: int) -> dict[str, float]:
    """Check 100 new submissions where so many are accepted, and where none is: default rules, quality, whole form."""
    raise NotImplementedError


def logical_workspace(folder: Path, rules: str = "") -> tuple[Workspace, BuiltForm]:
    """A workspace with the form, and rules of people for it."""
    for name, text in (
        ("dialogkit.toml", _TOML),
        (f"forms/{FORM_ID}.md", form_markdown()),
        (f"validations/{FORM_ID}.toml", rules or suite_toml()),
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    workspace = open_workspace(folder)
    built = build_form(workspace.form_file(FORM_ID))
    keep_version(workspace.versions, built)
    return workspace, built


def _asked(staged: Staged) -> list[Rule]:
    return [rule for rule in rules_of(staged) if rule.query]


@contextmanager
def _opened(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """As a landing opens the warehouse: its memory, its thread."""
    with writing(folder / _MADE, memory_limit=os.environ.get("BENCH_LIMIT","600MB")) as db:
        yield db


def _stage(db: duckdb.DuckDBPyConnection, workspace: Workspace) -> Staged:
    batch = open_batch(batches(workspace.batches, FORM_ID)[0])
    return stage(db, batch.manifest, batch.submissions, batch.forms())


def _tables(staged: Staged) -> list[str]:
    return [*staged.relations.values(), staged.submissions, staged.issues, staged.drift, staged.raw]


def _keep(db: duckdb.DuckDBPyConnection, name: str, times: int) -> int:
    """A table of the file with the rows of a temporary one, so many times, each time with other ids."""
    columns = [column for column, *_ in db.execute(f"DESCRIBE {sql.name(name)}").fetchall()]
    told = ", ".join(f"{sql.name(one)} || suffix AS {sql.name(one)}" for one in columns if one in _IDS)
    db.execute(
        f"CREATE TABLE {_SCHEMA}.{sql.name(name)} AS SELECT t.* REPLACE ({told}) "
        f"FROM (SELECT CASE n WHEN 0 THEN '' ELSE '-' || n END AS suffix FROM range({times}) r(n)), {sql.name(name)} t"
    )
    (rows,) = db.execute(f"SELECT count(*) FROM {_SCHEMA}.{sql.name(name)}").fetchone() or (0,)
    return int(rows)


def _staged(db: duckdb.DuckDBPyConnection, folder: Path) -> Staged:
    """What `stage` told, over the rows in the file."""
    db.execute(f"SET search_path = '{_SCHEMA}'")
    staged: Staged = pickle.loads((folder / _TOLD).read_bytes())  # noqa: S301 - written by `prepare_rows`
    return staged


if __name__ == "__main__":
    import sys
    import json
    import os
    name, folder, *rest = sys.argv[1:]
    print(json.dumps(globals()[name](Path(folder), *map(int, rest))), flush=True)
    os._exit(0)
