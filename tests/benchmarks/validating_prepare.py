"""What the measures of validation read: a million staged rows in a file, and a warehouse with a million submissions.

A batch is never larger than 100,000: so many are staged, or landed, on the usual way, and then multiplied by SQL.
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Final

import duckdb

from dialogkit import sql
from dialogkit.forms.build import build_form
from dialogkit.forms.versions import keep_version
from dialogkit.model.form import BuiltForm
from dialogkit.normalize.staging import stage
from dialogkit.pull.batches import LARGEST, batches, open_batch
from dialogkit.pull.writer import new_batch
from dialogkit.warehouse.connect import writing
from dialogkit.workspace import Workspace, open_workspace
from tests.benchmarks.logical import FORM_ID, form_markdown, submissions

#: The file of staged rows, the schema that they stand in, and what `stage` told of them.
ROWS: Final = "staged.duckdb"
SCHEMA: Final = "many"
TOLD: Final = "staged.pickle"
#: The folder of the workspace that has landed.
LANDED: Final = "landed"
_TOML: Final = f"""\
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
_IDS: Final = ("_submission_id", "submission_id", "id")


def prepare(folder: Path, count: int) -> dict[str, float]:
    """Stage submissions and multiply them up to `count`; then land them, and multiply what is in the warehouse.

    Returns:
        Numbers of submissions and of rows that are staged.
    """
    landed, built = logical_workspace(folder / LANDED)
    first = min(count, LARGEST)
    _batch(landed, built, first)
    with writing(folder / ROWS) as db:
        batch = open_batch(batches(landed.batches, FORM_ID)[0])
        staged = stage(db, batch.manifest, batch.submissions, batch.forms())
        relations = [*staged.relations.values()]
        db.execute(f"CREATE SCHEMA {SCHEMA}")
        for name in (*relations, staged.submissions, staged.issues, staged.drift, staged.raw):
            _multiply(db, name, f"CREATE TABLE {SCHEMA}.{sql.name(name)} AS", range(count // first))
        sizes = [_count(db, f"{SCHEMA}.{sql.name(name)}") for name in relations]
    (folder / TOLD).write_bytes(pickle.dumps(staged))
    _fill_warehouse(landed, count // first)
    return {"submissions": sizes[0], "rows": sum(sizes)}


def logical_workspace(folder: Path, rules: str = "") -> tuple[Workspace, BuiltForm]:
    """A workspace with the form whose logic makes rules, and these rules of people."""
    for name, text in (
        ("dialogkit.toml", _TOML),
        (f"forms/{FORM_ID}.md", form_markdown()),
        (f"validations/{FORM_ID}.toml", rules),
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    workspace = open_workspace(folder)
    built = build_form(workspace.form_file(FORM_ID))
    keep_version(workspace.versions, built)
    return workspace, built


def another_batch(workspace: Workspace, built: BuiltForm, count: int) -> None:
    """A batch of submissions that the warehouse has not seen."""
    _batch(workspace, built, count, seed=2)


def _batch(workspace: Workspace, built: BuiltForm, count: int, seed: int = 1) -> None:
    with new_batch(workspace.batches, FORM_ID, "server", "kobo") as batch:
        for one in submissions(count, seed):
            batch.add(one, built.form)


def _fill_warehouse(workspace: Workspace, times: int) -> None:
    """Land the batch; what the warehouse has of its submissions then stands there so many times."""
    from dialogkit.steps.land import land

    land(workspace)
    with writing(workspace.warehouse) as db:
        accepted = db.execute("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'accepted'").fetchall()
        for table in (*(sql.name("accepted", name) for (name,) in accepted), "ops.version_rows"):
            _multiply(db, table, f"INSERT INTO {table}", range(1, times))


def _multiply(db: duckdb.DuckDBPyConnection, rows: str, into: str, numbers: range) -> None:
    """Rows once for each number, with ids of their own; other fingerprints too."""
    columns = [column for column, *_ in db.execute(f"DESCRIBE {rows}").fetchall()]
    cells = [f"{sql.name(one)} || suffix AS {sql.name(one)}" for one in columns if one in _IDS]
    cells += ["xor(fingerprint, hash(suffix)) AS fingerprint" for one in columns if one == "fingerprint"]
    db.execute(
        f"{into} SELECT t.* REPLACE ({', '.join(cells)}) "
        f"FROM (SELECT CASE n WHEN 0 THEN '' ELSE '-' || n END AS suffix "
        f"FROM range({numbers.start}, {numbers.stop}) r(n)), {rows} t"
    )


def _count(db: duckdb.DuckDBPyConnection, table: str) -> int:
    (rows,) = db.execute(f"SELECT count(*) FROM {table}").fetchone() or (0,)
    return int(rows)
