"""A warehouse in which everything has happened that can happen to submissions, and fingerprints of its tables."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import duckdb

from dialogkit import sql
from dialogkit.forms.versions import keep_version
from dialogkit.model.batch import SOURCES
from dialogkit.model.form import BuiltForm, Form
from dialogkit.model.server import Received
from dialogkit.steps.held import decide_held
from dialogkit.steps.land import land
from dialogkit.warehouse.connect import reading
from dialogkit.workspace import Workspace, open_workspace
from tests.builders import Row, make_form, received, write_batch

ROWS: list[Row] = [
    ("text", "name", {"disclosure": "direct"}),
    ("text", "said"),
    ("integer", "age"),
    ("image", "photo"),
    ("repeat", "r"),
    ("text", "r/x"),
    ("text", "g/word"),
]
FORM = make_form("visit", "1", ROWS)
# Column `word` is that of the first version, for good; whoever meets both versions at once would name it otherwise.
NEWER = make_form("visit", "2", [*ROWS, ("text", "h/word"), ("repeat", "r/deep"), ("integer", "r/deep/n")])
PAGE = make_form("page", "1", [("text", "said"), ("select_one", "kind", {"choices": ["a", "b"]})])


def fingerprint(db: duckdb.DuckDBPyConnection, folder: Path) -> dict[str, str]:
    """Table → SHA-256 of an ordered Parquet export of it, for every table but `ops.rule_results`.

    That one tells of the rules of the day: a rebuild judges by all versions that are known now.
    """
    tables = db.execute(
        """
        SELECT schema_name, table_name, list(column_name ORDER BY column_name) FROM duckdb_columns()
        JOIN duckdb_tables() USING (database_name, schema_name, table_name)
        WHERE database_name = current_database() AND schema_name <> 'main'
            AND (schema_name, table_name) <> ('ops', 'rule_results') GROUP BY ALL
        """
    ).fetchall()
    found = {}
    for schema, table, columns in tables:
        names = ", ".join(map(sql.name, columns))
        file = folder / "export.parquet"
        db.execute(
            f"COPY (SELECT {names} FROM {sql.name(schema, table)} ORDER BY ALL) "
            f"TO {sql.text(str(file))} (FORMAT parquet)"
        )
        found[f"{schema}.{table}"] = hashlib.sha256(file.read_bytes()).hexdigest()
        file.unlink()
    return found


def tables_of(workspace: Workspace) -> dict[str, str]:
    """The fingerprint of a warehouse that nobody has open."""
    with reading(workspace.warehouse) as db:
        return fingerprint(db, workspace.root)


def visit(name: str, form: Form = FORM, edition: int = 1, **facts: Any) -> Received:
    """A submission with something in every table."""
    answers = {"name": f"Zebra {name}", "said": f"{name}{edition}", "age": "9", "g/word": "w", "r": [{"r/x": name}, {}]}
    answers |= facts.pop("answers", {})
    instance = f"uuid:{name}-{edition}"
    return received(form, answers, f"uuid:{name}", instance_id=instance, edited=edition > 1, **facts)


def eventful_site(root: Path) -> Workspace:
    """A warehouse with all that can happen to a submission, in an order as at a real site."""
    (root / "dialogkit.toml").write_text('[forms.visit]\nfile = "v.xlsx"\n[forms.page]\nfile = "p.xlsx"\n')
    workspace = open_workspace(root)

    def bring(form: Form, *some: Received, **facts: Any) -> None:
        keep_version(workspace.versions, BuiltForm(form, b"<x/>"))
        write_batch(workspace.batches, form, some, **facts)
        land(workspace)

    held = {"answers": {"age": "many"}}
    bring(
        FORM,
        visit("a", answers={"photo": "p.jpg", "drifted": "Quokka"}, files=["p.jpg"]),
        *(visit(name, **held) for name in ("b", "c", "i")),
        *(visit(name) for name in ("d", "e")),
        visit("f", answers={"age": "many", "r": [{"r/strange": "Quokka"}]}),
        received(FORM, {}, "uuid:n", refused="nobody agreed"),
        content={"p.jpg": b"photo"},
    )
    decide_held(workspace, "uuid:b", "release", "asked again", "Lea")
    decide_held(workspace, "uuid:c", "drop", "a test", "Lea")
    sources = [{"row": "", "path": "said", "how": "copied", "coded_by": "Lea"}]
    sources = [one | {"source_sentence": "It was said.", "source_ref": "page 1"} for one in sources]
    page = received(PAGE, {"said": "x", "kind": "a"}, "uuid:p", origin="import", files=[SOURCES])
    content = {SOURCES: json.dumps(sources).encode()}
    bring(PAGE, page, origin="import", server="", content=content)
    late = write_batch(workspace.batches, FORM, [visit("d", FORM, 2), visit("late")]).folder
    late.rename(root / late.name)
    deep = {"h/word": "other", "r": [{"r/x": "y", "r/deep": [{"r/deep/n": "3"}, {"r/deep/n": "4"}]}]}
    bring(
        NEWER,
        visit("a", NEWER, 2, answers=deep),
        visit("b", NEWER, 2, **held),
        received(NEWER, {}, "uuid:d", deleted_at="2026-11-21T10:00:00Z"),
        visit("h", NEWER, version="9", answers={"later": "Quokka"}),
    )
    decide_held(workspace, "uuid:b", "release", "again", "Lea")
    bring(
        NEWER,
        visit("b", NEWER, 2, review_state="approved", **held),
        visit("i", NEWER, 1, review_state="rejected", **held),
        received(NEWER, {}, "uuid:e", refused="nobody agreed"),
        visit("c", NEWER, 2, **held),
        visit("a", NEWER, 3),
    )
    decide_held(workspace, "uuid:i", "drop", "not real", "Lea")
    # Somebody brought an older batch back: it says nothing new of what is here.
    (root / late.name).rename(late)
    land(workspace)
    return workspace
